"""What `make bench` stored on shift: made by this code and prior, claims, and a part of it re-derived."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import shift  # noqa: E402
from benchmarks.shifts import SHIFTS  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut import recipes  # noqa: E402

STORED = json.loads((ROOT / "results" / "shift.json").read_text(encoding="utf-8"))
ROWS, CHOSEN = STORED["shifts"], STORED["settings"]["chosen"]


def psnr(name, method):
    return ROWS[name]["methods"][method]["psnr"]["value"]


def test_results_belong_to_this_code_and_this_prior():
    assert fresh(ROOT / "results" / "shift.json", shift.MADE_FROM)
    assert ROWS.keys() == SHIFTS.keys()
    recipe = recipes.get(shift.NETWORK)  # its weights do not ship
    assert STORED["supervised"]["recipe_sha256"] == recipe.hash()
    assert STORED["supervised"]["steps"] == recipe.steps


def test_settings_are_from_the_grids():
    assert all(CHOSEN[name] in grid for name, grid in shift.GRIDS.items())


def test_differences_are_paired():
    for row in ROWS.values():
        best = row["methods"]["supervised"]["psnr_of_each"]
        for name, gap in row["minus supervised"].items():
            each = [a - b for a, b in zip(row["methods"][name]["psnr_of_each"], best, strict=True)]
            assert gap["value"] == pytest.approx(sum(each) / len(each), abs=1e-3)
            assert gap["low"] <= gap["value"] <= gap["high"]


def test_more_data_help_and_noise_harms_every_method():
    for method in shift.GRIDS:
        assert psnr("2x", method) > psnr("as trained", method) > psnr("8x", method)
        assert psnr("noise 0.003", method) > psnr("noise 0.03", method) > psnr("noise 0.1", method)


def test_the_sampler_that_is_told_the_noise_loses_least():
    for noise in ("noise 0.03", "noise 0.1"):
        assert psnr(noise, "DiffPIR") == max(psnr(noise, method) for method in shift.GRIDS)


def test_total_variation_of_one_slice_is_what_was_stored():
    for name in ("as trained", "ellipses"):
        found = shift.evaluate("total variation", SHIFTS[name][1]([0]), 1, CHOSEN["total variation"])
        stored = ROWS[name]["methods"]["total variation"]["psnr_of_each"][0]
        assert float(found["psnr"]) == pytest.approx(stored, abs=0.05)
