"""A published prior gives the images of the one it was made from, without pickle and without network."""

import json
import socket

import numpy as np
import pytest
import safetensors.torch
import torch
from monai.bundle import run
from monai.networks.nets import DiffusionModelUNet

import medtut as mt
from medtut import publish
from medtut.errors import BadInput

SHAPE = (1, 16, 16)
WORDS = {"name": "Small prior", "description": "A network with random weights."}


@pytest.fixture(scope="module")
def unet():
    """Random weights everywhere, so that the output is not 0."""
    g = torch.Generator().manual_seed(0)
    made = DiffusionModelUNet(
        2, 1, 1, channels=(8, 16), attention_levels=(False, True), num_res_blocks=1, num_head_channels=8,
        norm_num_groups=8,
    )  # fmt: skip
    for p in made.parameters():
        p.data = torch.randn(p.shape, generator=g) * 0.1
    return made.eval().requires_grad_(False)


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*args):
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def by_hand(unet, kind="linear", steps=20):
    table = mt.schedules.vp_table(kind=kind)
    levels = mt.schedules.trailing(table, steps)
    row = mt.denoisers.v(mt.denoisers.table_clock(table, nearest=True))
    x = mt.randn((4, *SHAPE), torch.Generator().manual_seed(0)) * float((1 + levels[0] ** 2) ** 0.5)
    images = mt.last(mt.ddim(mt.Preconditioned(mt.denoisers.from_monai(unet), row), levels, x))
    return images / 2 + 0.5


def test_a_bundle_gives_the_same_images(unet, tmp_path):
    folder = publish.write_bundle(tmp_path / "bundle", unet, SHAPE, **WORDS)
    want = by_hand(unet)
    assert want.std() > 0.1
    assert (publish.run_bundle(folder) - want).abs().max() < 1e-5
    assert (publish.run_bundle(folder, seed=1) - want).abs().max() > 0.1
    assert publish.verify_bundle(folder) == []
    kept = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    configs = ["configs/inference.json", "configs/metadata.json"]
    assert kept == [*configs, "docs/README.md", "models/model.safetensors"]


def test_a_bundle_runs_as_monai_runs_bundles(unet, tmp_path):
    """monai.bundle.run writes the images; the weights are found below bundle_root."""
    folder = publish.write_bundle(tmp_path / "bundle", unet, SHAPE, **WORDS)
    config = str(folder / "configs" / "inference.json")
    run(config_file=config, workflow_type="infer", bundle_root=str(folder), device="$torch.device('cpu')")
    images = safetensors.torch.load_file(folder / "images.safetensors")["image"]
    assert torch.equal(images, publish.run_bundle(folder))


def test_a_bundle_says_what_it_needs(unet, tmp_path):
    folder = publish.write_bundle(tmp_path / "bundle", unet, SHAPE, version="1.2.0", **WORDS)
    said = json.loads((folder / "configs" / "metadata.json").read_text(encoding="utf-8"))
    assert (said["version"], said["numpy_version"]) == ("1.2.0", np.__version__)
    assert said["intended_use"] == "Teaching. Not for clinical use."


def test_a_wrong_description_is_found(unet, tmp_path):
    folder = publish.write_bundle(tmp_path / "bundle", unet, SHAPE, **WORDS)
    path = folder / "configs" / "metadata.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"channel_def"', '"num_channels": 3, "channel_def"'), encoding="utf-8")
    with pytest.raises(ValueError, match="channel number"):
        publish.verify_bundle(folder)


def test_refusals(unet, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="not empty"):
        publish.write_bundle(tmp_path / "full", unet, SHAPE, **WORDS)
    with pytest.raises(BadInput, match="divide 1000"):
        publish.write_bundle(tmp_path / "odd", unet, SHAPE, steps=30, **WORDS)
    assert not (tmp_path / "odd").exists()
    with pytest.raises(BadInput, match="sigmoid_beta"):
        publish.pipeline(unet, 16, schedule="sigmoid_beta")


@pytest.mark.parametrize(("schedule", "kind"), [("linear_beta", "linear"), ("cosine", "cosine")])
def test_a_pipeline_gives_the_same_images(unet, tmp_path, schedule, kind):
    publish.pipeline(unet, 16, schedule=schedule).save_pretrained(tmp_path / "pipeline")
    names = {p.suffix for p in (tmp_path / "pipeline").rglob("*") if p.is_file()}
    assert names == {".json", ".safetensors"}
    loaded = publish.load_pipeline(tmp_path / "pipeline")
    images = loaded(4, torch.Generator().manual_seed(0))
    want = by_hand(unet, kind)
    tol = 1e-5 if kind == "linear" else 1e-3  # at abar = 1e-9 single precision tables part
    assert (images - want).abs().max() < tol * want.abs().max()


def test_definitions_make_the_network_again(unet):
    cross = DiffusionModelUNet(
        2, 1, 1, channels=(8, 16), attention_levels=(False, True), num_res_blocks=(1, 2), num_head_channels=8,
        norm_num_groups=8, with_conditioning=True, cross_attention_dim=3, transformer_num_layers=2,
    )  # fmt: skip
    for net in (unet, cross):
        knobs = publish.definition(net)
        assert knobs.pop("_target_") == "monai.networks.nets.DiffusionModelUNet"
        again = DiffusionModelUNet(**knobs)
        again.load_state_dict(net.state_dict())
