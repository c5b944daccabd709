"""What results/families.json says of the shipped six families, and a small part of it measured again."""

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import medtut as mt  # noqa: E402
from benchmarks import families as bench  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut import weights  # noqa: E402
from medtut.nets_families import FAMILIES, weights_of  # noqa: E402

EXPLICIT = ("autoregressive", "flow", "VAE", "diffusion")


@pytest.fixture(scope="module")
def six():
    return mt.load("families-32", device="cpu")


@pytest.fixture(scope="module")
def rows():
    return json.loads((ROOT / "results" / "families.json").read_text(encoding="utf-8"))["rows"]


def test_it_was_made_by_this_code_and_these_weights():
    assert fresh(ROOT / "results" / "families.json", bench.MADE_FROM)


def test_the_file_holds_six_of_equal_size_and_no_gradient(six):
    row = weights.manifest()["families-32"]
    assert tuple(six) == FAMILIES
    for name, model in six.items():
        assert not any(p.requires_grad for p in model.parameters())
        assert weights_of(model) == row["weights_of"][name] == pytest.approx(1e5, rel=0.05)


def test_bits_come_out_again(six, rows):
    k = bench.slices(bench.NEW, 4)
    for name in ("flow", "autoregressive"):
        found = bench.bits(six[name], k)
        assert found == pytest.approx(rows[name]["bits"]["new"][:4], abs=0.01)
    assert bench.bits(six["GAN"], k) is bench.bits(six["energy"], k) is None


def test_the_controls_are_told_apart(rows):
    assert rows["training copies"]["neighbour_ratio"] < 0.01
    assert rows["new subjects"]["neighbour_ratio"] == pytest.approx(1, abs=0.05)
    assert rows["new subjects"]["fine_power"] == pytest.approx(1)


def test_bits_lie_between_nothing_known_and_nothing_left(rows):
    for name in EXPLICIT:
        found = torch.tensor(rows[name]["bits"]["new"])
        assert ((found > 0) & (found < 5)).all()
