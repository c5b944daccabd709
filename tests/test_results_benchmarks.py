"""What `make bench` stored on samples and speed: made by this code and weights, claims, re-derived."""

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import medtut as mt  # noqa: E402
from benchmarks import samples, speed  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut.data.anatomy import smooth  # noqa: E402

FREE, TOLD = "free samples", "samples told contrast and position"


def stored(name):
    return json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows():
    return stored("samples")["rows"]


def mmd2(rows, name, reference):
    return rows[name]["mmd2"][reference]


@pytest.mark.parametrize("module", [samples, speed], ids=["samples", "speed"])
def test_results_belong_to_this_code_and_these_weights(module):
    assert fresh(ROOT / "results" / f"{module.__name__.split('.')[-1]}.json", module.MADE_FROM)


def test_the_controls_show_what_the_measure_can_see(rows):
    for reference in samples.REFERENCES:
        half, blurred = (mmd2(rows, f"{reference}, {kind}", reference) for kind in ("other half", "blurred"))
        assert half["p"] > 0.01
        assert half["low"] < half["value"] < half["high"]
        for wrong in (blurred, mmd2(rows, "Gaussian", reference)):
            assert wrong["p"] < 0.01
            assert wrong["value"] > wrong["high"]
    copies = rows["training copies"]
    assert mmd2(rows, "training copies", "fresh")["p"] > 0.01  # copies pass every two-sample test
    assert copies["neighbour_ratio"] == {"heldout": 0, "fresh": 0}  # and are found by this one
    assert all(r2 > 0.8 for r2 in stored("samples")["anatomy_r2"].values())


@pytest.mark.parametrize("reference", samples.REFERENCES)
def test_where_the_prior_stands(rows, reference):
    """Told contrast and position it beats the blur; free, it beats the Gaussian and comes near the blur."""
    names = (TOLD, FREE, f"{FREE}, twice the steps", "free samples by DDIM")
    told, free, longer, by_ddim = (mmd2(rows, name, reference)["value"] for name in names)
    blurred = mmd2(rows, f"{reference}, blurred", reference)["value"]
    assert told < blurred < free < mmd2(rows, "Gaussian", reference)["value"]
    assert longer < free < 1.5 * blurred
    assert free < by_ddim  # fresh noise forgets the network's errors


def test_free_samples_beat_gaussian_and_blur_on_held_out_slices(rows):
    longer = mmd2(rows, f"{FREE}, twice the steps", "heldout")["value"]
    assert longer < mmd2(rows, "heldout, blurred", "heldout")["value"]
    assert longer < mmd2(rows, "Gaussian", "heldout")["value"]


def test_samples_are_no_copies(rows):
    for name in (FREE, TOLD):
        assert rows[name]["neighbour_ratio"]["fresh"] > 0.9, name


def test_the_first_samples_are_those_that_were_scored():
    denoise = mt.load("brain-128", device="cpu")
    found = samples.draw(denoise, 0, 2).clamp(min=0).mean((1, 2, 3)).tolist()
    assert found == pytest.approx(stored("samples")["first_means"][:2], abs=1e-3)


def test_the_spectrum_of_the_blurred_control_comes_out_again(rows):
    both, _, _ = samples.slices("heldout", 0, 2 * samples.N)
    half, other = both.chunk(2)
    difference = samples.spectrum(smooth(other, samples.BLUR)) - samples.spectrum(half)
    wanted = torch.tensor(rows["heldout, blurred"]["spectrum_dB"])
    assert (difference[samples.band()].float() - wanted).abs().max() < 0.01


@pytest.mark.parametrize("loop", ["medtut ddim", "medtut heun"])
def test_sampling_costs_its_network_calls(loop):
    found = stored("speed")["rows"]
    assert found["forward"]["ratio"] == 1
    assert found[loop]["ratio"] <= 1.03
    assert found[loop]["ratio"] < 1.02 * found["diffusers ddim"]["ratio"]
