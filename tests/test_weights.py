"""Shipped weights: what the manifest says is true, and a file that is not the manifest's is refused."""

import shutil

import pytest
import torch

from medtut import recipes, weights
from medtut.data.brain import label_of
from medtut.errors import BadInput
from medtut.noise import generators, randn_like
from medtut.recipes.export import SCORE_SIGMAS, held_out_psnr, scoring

# dB inside the head that the worst contrast must reach at SCORE_SIGMAS; the noisy image has 26, 16.5 and 6
FLOORS = {"brain-128": (28.7, 23.5, 18.8), "brain-128-complex": (29.6, 24.9, 20.7)}
SMALL_FLOORS = {"kernels": (40.0, 33.5, 26.5)}  # the same for smaller priors that have no head
MIB = 2**20


@pytest.fixture(scope="module", params=sorted(FLOORS))
def shipped(request):
    return request.param, weights.load(request.param, device="cpu"), weights.manifest()[request.param]


def test_the_main_priors_are_shipped():
    assert set(FLOORS) <= set(weights.names())


@pytest.mark.parametrize("name", sorted(set(weights.with_recipe()) - set(FLOORS)))
def test_a_smaller_prior_is_what_its_recipe_made_and_scores_what_the_manifest_says(name):
    denoise, row, recipe = weights.load(name, device="cpu"), weights.manifest()[name], recipes.get(name)
    assert row["recipe_sha256"] == recipe.hash()
    assert row["steps"] == row["steps_planned"] == recipe.steps
    what, score, _ = scoring(recipe)
    found = score(denoise, recipe)
    for kind, stored in row[what].items():
        assert found[kind] == pytest.approx(stored, abs=0.05)
        assert all(dB >= floor for dB, floor in zip(found[kind], SMALL_FLOORS.get(name, ()), strict=False))


def test_the_prior_of_kernels_is_shipped_and_tiny():
    assert set(SMALL_FLOORS) <= set(weights.names())
    assert (weights.FOLDER / "kernels.safetensors").stat().st_size < 0.3 * MIB


def test_only_safetensors_within_the_budget_of_bytes():
    files = [p for p in weights.FOLDER.iterdir() if p.is_file()]
    assert {p.suffix for p in files} <= {".safetensors", ".toml", ".py"}
    sizes = {p.stem: p.stat().st_size for p in files if p.suffix == ".safetensors"}
    assert sizes.keys() == set(weights.names())
    assert all(size <= (8 if name in FLOORS else 2) * MIB for name, size in sizes.items())
    assert sum(sizes.values()) <= 32 * MIB


def test_the_manifest_names_a_recipe_that_was_run_to_its_end(shipped):
    _, _, row = shipped
    recipe = recipes.get(row["recipe"])
    assert row["recipe_sha256"] == recipe.hash()
    assert row["steps"] == row["steps_planned"] == recipe.steps
    assert (row["net"], row["net_args"]) == (recipe.net, recipe.net_args)
    assert (row["shift"], row["scale"], row["seed"]) == (recipe.shift, recipe.scale, recipe.seed)
    assert row["score_sigmas"] == list(SCORE_SIGMAS)
    assert row["minutes"] > 0
    assert row["device"]


def test_held_out_scores_are_the_manifest_s_and_above_the_floor(shipped):
    name, denoise, row = shipped
    recipe = recipes.get(row["recipe"])
    assert row["psnr"].keys() == recipe.held_out().keys()
    scores = held_out_psnr(denoise, recipe)
    for contrast, found in scores.items():
        assert found == pytest.approx(row["psnr"][contrast], abs=0.05), contrast
        assert all(dB >= floor for dB, floor in zip(found, FLOORS[name], strict=True)), contrast


def test_loaded_weights_ask_for_no_gradient_but_pass_one_on(shipped):
    _, denoise, row = shipped
    assert not denoise.training
    assert not any(p.requires_grad for p in denoise.parameters())
    x = torch.zeros(1, row["net_args"]["channels"], 128, 128, requires_grad=True)
    denoise(x, 0.5).sum().backward()
    assert x.grad.abs().sum() > 0


@torch.no_grad()
def test_labels_help_and_null_is_no_label(shipped):
    name, denoise, row = shipped
    sample = recipes.get(row["recipe"]).cohort("heldout").batch(range(8))
    sigma = 2.0
    x = sample.image + sigma * randn_like(sample.image, generators(0, 8))
    free = denoise(x, sigma)
    assert torch.equal(free, denoise(x, sigma, torch.full((8, 2), -1.0)))
    error = {"free": (free - sample.image).square().mean()}
    for column, kind in enumerate(("contrast", "position")):
        label = torch.full((8, 2), -1.0)
        label[:, column] = sample.label[:, column]
        error[kind] = (denoise(x, sigma, label) - sample.image).square().mean()
    error["both"] = (denoise(x, sigma, sample.label) - sample.image).square().mean()
    assert error["contrast"] < error["free"], name
    assert error["position"] < error["free"], name
    assert error["both"] < min(error["contrast"], error["position"]), name
    assert (denoise(x, sigma, label_of("T1").expand(8, 2)) - free).abs().max() > 0.01


@torch.no_grad()
def test_half_precision_network_stays_near_and_leaves_the_image_float32():
    image = recipes.get("brain-128").cohort("heldout").batch(range(2)).image
    x = image + 0.5 * randn_like(image, generators(0, 2))
    full = weights.load("brain-128", device="cpu")(x, 0.5)
    half = weights.load("brain-128", device="cpu", dtype=torch.bfloat16)(x, 0.5)
    assert half.dtype == torch.float32
    assert 0 < (half - full).norm() / full.norm() < 0.015


@pytest.fixture
def copy(tmp_path):
    for name in ("brain-128.safetensors", "manifest.toml"):
        shutil.copy(weights.FOLDER / name, tmp_path)
    return tmp_path


def test_a_file_with_another_hash_is_refused(copy):
    path = copy / "brain-128.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"sha256 .* the manifest says .* not loaded"):
        weights.load("brain-128", folder=copy)
    path.write_bytes(content[:1000])
    with pytest.raises(BadInput, match="make weights"):
        weights.load("brain-128", folder=copy)


def test_a_missing_file_and_an_unknown_name_are_refused(copy):
    (copy / "brain-128.safetensors").unlink()
    with pytest.raises(BadInput, match="is missing"):
        weights.load("brain-128", folder=copy)
    with pytest.raises(BadInput, match="no weights called 'brain-256'; there are brain-128"):
        weights.load("brain-256", folder=copy)


def test_what_save_writes_load_reads(copy):
    net = torch.nn.Linear(2, 2)
    row = {"net": "MLP", "net_args": {"dim": 2, "widths": [1, 2]}, "scale": 2.0, "note": '"σ"', "ok": True}
    before = weights.manifest(copy)
    weights.save("small", net.state_dict(), row, copy)
    rows = weights.manifest(copy)
    assert {k: v for k, v in rows["small"].items() if k != "sha256"} == row
    assert rows["brain-128"] == before["brain-128"]
    tensors, _ = weights.load_tensors("small", copy)
    assert torch.equal(tensors["weight"], net.weight.detach().half())
    assert not list(copy.glob("*.part"))
