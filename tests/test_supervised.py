"""Supervised reconstructions: their pairs, their networks, their weights; and the phantoms' cohort."""

import dataclasses

import pytest
import torch

from medtut import checkpoint, recipes, train, weights
from medtut.data.phantoms import Phantoms
from medtut.denoisers import Ranged
from medtut.errors import BadInput
from medtut.physics.ct import fbp
from medtut.recipes.export import export, held_out_reconstruction
from medtut.supervised import NOISE_STD, Pool, Scans
from medtut.unrolled import Reconstructor, Unrolled

SMALL = {"patch": 4, "widths": [32, 32], "attention": [False, False], "contrasts": 6}
MRI = dataclasses.replace(
    recipes.get("mri-unrolled"),
    name="small",
    pool=3,
    batch=1,
    steps=6,
    hold=4,
    warmup=2,
    net_args={"trunk": {"channels": 2, **SMALL}, "rounds": 2, "cg": 3},
)


@pytest.fixture(scope="module")
def slices():
    """Two held-out slices for each task."""
    return {
        recipe.task: recipe.cohort("heldout").batch(range(2))
        for recipe in map(recipes.get, ("mri-unrolled", "ct-after-fbp"))
    }


@pytest.mark.parametrize("task", NOISE_STD)
def test_a_scan_is_a_function_of_its_seed_and_not_an_inverse_crime(task, slices):
    scans, x0 = Scans(task, torch.device("cpu"), maps=4), slices[task].image
    first, again, other = (scans.problem(x0, seed) for seed in (7, 7, 8))
    assert torch.equal(first.y, again.y)
    assert not torch.equal(first.y, other.y)
    chi, chance = first.chi_square(x0), (2 / first.A.count(first.y)) ** 0.5
    assert (chi > 1 + 5 * chance).all(), "the operator that made the data is the one in the problem"
    assert (chi < 30).all()
    if task.startswith("mri"):
        lines = first.A.mask[:, 0, 0].sum(1)
        assert (lines == 32).all()
        assert not torch.equal(first.A.mask[0], first.A.mask[1])


def test_noise_has_the_level_that_the_problem_states():
    scans = Scans("ct-20", torch.device("cpu"))
    y = scans.problem(torch.zeros(4, 1, 128, 128), 0)
    assert y.y.std().item() == pytest.approx(y.noise_std, rel=0.02)
    y = Scans("mri-4x-8", torch.device("cpu"), maps=2).problem(torch.zeros(2, 2, 128, 128), 0)
    measured = y.y[y.A.mask.expand(y.y.shape) > 0]
    assert measured.real.std().item() == pytest.approx(y.noise_std, rel=0.02)
    assert (y.y[y.A.mask.expand(y.y.shape) == 0] == 0).all()


def test_an_unknown_task_is_refused():
    with pytest.raises(BadInput, match="mri-4x-8, ct-20"):
        Scans("mri-9x", torch.device("cpu"))


def test_a_pool_holds_so_many_images_and_training_takes_from_no_other():
    recipe = dataclasses.replace(recipes.get("phantom-10"), pool=5, batch=8)
    pool = Pool(recipe.cohort(), recipe.pool, chunk=2)
    assert torch.equal(pool.batch([4, 1]).image, recipe.cohort().batch([4, 1]).image)
    seen = torch.cat([train.batch_at(recipe, pool, step)[0] for step in range(8)])
    known = (pool.image - recipe.shift) * recipe.scale
    place = torch.cdist(seen.flatten(1), known.flatten(1))
    assert place.amin(1).max() == 0
    assert set(place.argmin(1).tolist()) == set(range(5))
    order = place.argmin(1).reshape(8, 8)
    assert len({tuple(row) for row in order.tolist()}) == 8  # noise levels go up with the place in a batch


@torch.no_grad()
def test_an_untrained_network_leaves_filtered_back_projection_as_it_is(slices):
    problem = Scans("ct-20", torch.device("cpu")).problem(slices["ct-20"].image, 0)
    x = recipes.get("ct-after-fbp").model()(problem)
    assert torch.equal(x, fbp(problem.A, problem.y))


@torch.no_grad()
def test_an_untrained_unrolled_network_is_repeated_proximal_steps(slices):
    problem = Scans("mri-4x-8", torch.device("cpu"), maps=2).problem(slices["mri-4x-8"].image, 0)
    x = problem.A.adjoint(problem.y)
    for _ in range(3):
        x = problem.A.prox(x, problem.y, 0.05, 6)
    net = Unrolled({"channels": 2, **SMALL}, rounds=3, cg=6)
    torch.testing.assert_close(Reconstructor(net)(problem), x, atol=1e-5, rtol=1e-4)


def test_training_lowers_the_error_and_moves_the_weight_of_the_data(slices):
    sample = slices["mri-4x-8"]
    problem = Scans("mri-4x-8", torch.device("cpu"), maps=2).problem(sample.image, 0)
    torch.manual_seed(0)
    net = Unrolled({"channels": 2, **SMALL}, rounds=2, cg=3, scale=1.8)
    rho, losses = net.log_rho.item(), []
    optimiser = torch.optim.Adam(net.parameters(), 3e-4)
    for _ in range(25):
        loss = (net(problem, sample.label) - sample.image).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.85 * losses[0]
    assert net.log_rho.item() != rho


def test_a_network_refuses_a_scan_that_is_not_its_own(slices):
    problem = Scans("mri-4x-8", torch.device("cpu"), maps=2).problem(slices["mri-4x-8"].image, 0)
    with pytest.raises(BadInput, match="got MRI, need CT"):
        recipes.get("ct-after-fbp").model()(problem)


def test_an_interrupted_run_is_the_same_run_and_its_weights_load_from_runs(tmp_path, monkeypatch, slices):
    train.train(MRI, tmp_path / "whole", device="cpu", progress_bar=False)
    for steps in (2, None):
        train.train(MRI, tmp_path / "halves", device="cpu", steps=steps, progress_bar=False)
    whole, halves = (checkpoint.read_state(tmp_path / n / "state.safetensors") for n in ("whole", "halves"))
    assert [k for k in whole[0] if not torch.equal(whole[0][k], halves[0][k])] == []
    monkeypatch.setattr(weights, "OWN", tmp_path / "weights")
    with pytest.raises(BadInput, match=r"`medtut train small` and then `python -m medtut\.recipes small`"):
        weights.load("small", device="cpu")
    path = export(MRI, tmp_path / "whole")
    assert path.parent == weights.OWN
    reconstruct, row = weights.load("small", device="cpu"), weights.manifest(weights.OWN)["small"]
    assert row["psnr"] == held_out_reconstruction(reconstruct, MRI)
    assert row["psnr"].keys() == {"T1", "T2", "PD", "FLAIR"}
    assert not any(p.requires_grad for p in reconstruct.parameters())
    problem = Scans("mri-4x-8", torch.device("cpu"), maps=2).problem(slices["mri-4x-8"].image, 0)
    told, free = reconstruct(problem, slices["mri-4x-8"].label), reconstruct(problem)
    assert told.shape == free.shape == slices["mri-4x-8"].image.shape


def test_phantoms_are_functions_of_their_index_and_split():
    train_set, held_out = Phantoms().batch(range(6)), Phantoms("heldout").batch(range(6))
    assert torch.allclose(train_set.image[3:4], Phantoms().batch([3]).image, atol=1e-6)
    assert torch.cdist(train_set.image.flatten(1), held_out.image.flatten(1)).min() > 3
    assert torch.pdist(train_set.image.flatten(1)).min() > 3
    for sample in (train_set, held_out):
        assert sample.image.min() >= 0
        assert sample.image.max() <= 1
        assert (sample.image[~sample.head] < 0.6).all()
        assert 0.1 < sample.head.float().mean() < 0.7
    with pytest.raises(ValueError, match="heldout"):
        Phantoms("test")


def test_recipes_of_phantoms_differ_in_the_subjects_alone():
    rows = [recipes.get(f"phantom-{n}").settings() for n in (10, 100, 1000)]
    for row in rows[1:]:
        assert {k for k in row if row[k] != rows[0][k]} == {"name", "pool"}
    model = recipes.get("phantom-10").model()
    assert sum(p.numel() for p in model.parameters()) * 2 <= 2 * 2**20
    x = Phantoms().batch(range(2)).image
    assert Ranged(model, 0.5, 2.0)(x, 0.3).shape == x.shape
