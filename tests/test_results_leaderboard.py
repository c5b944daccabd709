"""What the stored leaderboard and the ladder claim, and that they belong to the code as it is."""

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import ladder, leaderboard, rankings  # noqa: E402
from benchmarks.methods import METHODS  # noqa: E402
from benchmarks.store import made_from  # noqa: E402
from medtut.metrics import bootstrap_ci  # noqa: E402


def stored(name):
    return json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))


BOARD = stored("leaderboard")["tasks"]


@pytest.mark.parametrize("module", [leaderboard, ladder], ids=["leaderboard", "ladder"])
def test_it_belongs_to_the_code(module):
    assert stored(module.__name__.split(".")[-1])["made_from"] == made_from(module.MADE_FROM)


@pytest.mark.parametrize("task", BOARD)
def test_every_method_has_a_row_or_a_reason(task):
    parts = BOARD[task]
    missing = {entry.rpartition(",")[0] for entry in parts["not measured"]}
    assert set(parts["methods"]["100"]) | set(parts["cannot"]) | missing >= set(METHODS)
    for steps, rows in parts["methods"].items():
        for name, row in rows.items():
            assert len(row["psnr_of_each"]) == len(leaderboard.TEST)
            assert 1 <= len(row["tried"]) <= 10
            if name in METHODS:
                runs = 1 if METHODS[name].point else leaderboard.SAMPLES
                assert row["calls"] <= runs * int(steps)


@pytest.mark.parametrize("task", ["mri-4x-8", "ct-20"])
@pytest.mark.parametrize("other", ["total variation", "fitted Gaussian"])
def test_the_best_diffusion_method_beats_what_knows_no_brain(task, other):
    rows = BOARD[task]["methods"]["100"]
    best = next(e["method"] for e in BOARD[task]["rankings"]["point"] if e["method"] in METHODS)
    gap = torch.tensor(rows[best]["psnr_of_each"]) - torch.tensor(rows[other]["psnr_of_each"])
    assert bootstrap_ci(gap, generator=torch.Generator().manual_seed(0)).low > 0


def test_ties_are_called_ties():
    rows = {"a": {"x_of_each": [1.0, 2.0, 3.0, 4.0]}, "b": {"x_of_each": [1.1, 1.8, 3.1, 3.9]}}
    rows["c"] = {"x_of_each": [0.0, 1.0, 2.0, 3.0]}
    table = rankings.ranking(rows, "x", higher=True)
    assert [(entry["method"], entry["tied"]) for entry in table] == [("a", True), ("b", True), ("c", False)]


def test_a_method_that_is_lost_is_not_ranked():
    rows = {"a": {"x_of_each": [1.0, 2.0]}, "b": {"x_of_each": [float("nan"), 1.0]}}
    assert [entry["method"] for entry in rankings.ranking(rows, "x", higher=True)] == ["a"]


def test_detectability_is_the_distance_over_the_spread():
    g = torch.Generator().manual_seed(0)
    well, ill = torch.randn(2, 100_000, generator=g, dtype=torch.float64)
    assert float(rankings.detectability(2 + ill, well)) == pytest.approx(2, abs=0.02)


def test_a_quick_one_is_near_the_best_at_a_fifth_of_its_calls():
    full = {"DPS": {"psnr": [30.0], "psnr_of_each": [30.0, 30.0], "calls": 800}}
    short = {"DDS": {"psnr": [29.8], "calls": 160}, "DDNM": {"psnr": [29.6], "calls": 160}}
    short["TDS"] = {"psnr": [30.1], "calls": 161}
    assert [e["method"] for e in rankings.quick_ones(full, short)] == ["DDS"]


def test_the_ladder_falls_where_the_operator_is_wrong():
    rungs = stored("ladder")["rungs"]
    assert list(rungs) == ladder.RUNGS
    known, wrong = (rungs[n]["DiffPIR"] for n in ("coil maps with errors", "coloured noise, off-resonance"))
    assert wrong["high"] < known["low"]
