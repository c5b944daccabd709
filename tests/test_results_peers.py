"""What `make peers` stored beside deepinv: made by this code, its claims, a part again. Needs no deepinv."""

import json
import math
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import benchmarks.__main__ as command  # noqa: E402
from benchmarks import deepinv_peer, peers  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut import tasks  # noqa: E402
from medtut.physics.blur import Blur, gaussian_kernel  # noqa: E402
from medtut.physics.spectral import svd  # noqa: E402

PATH = ROOT / "results" / "peers.json"
RESULT = json.loads(PATH.read_text(encoding="utf-8"))
CELLS = [(name, method) for name in peers.TASKS for method in peers.GRIDS]
each_cell = pytest.mark.parametrize(("name", "method"), CELLS)
each_method = pytest.mark.parametrize("method", peers.GRIDS)


def locked(name: str) -> str:
    lines = (ROOT / "requirements-peers.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)[name]


def test_result_belongs_to_this_code_and_these_weights():
    assert fresh(PATH, peers.MADE_FROM)
    assert RESULT["settings"]["deepinv"] == locked("deepinv")


@each_cell
def test_the_same_budget_and_the_best_of_what_was_tried(name, method):
    found = RESULT["quality"][name][method]
    for label, grid in zip(("ours", "deepinv"), peers.GRIDS[method], strict=True):
        tried = found[label]["tried"]
        assert [knobs for knobs, _ in tried] == grid
        assert max(tried, key=lambda row: row[1])[0] == found[label]["knobs"]
    assert len(found["ours"]["tried"]) == len(found["deepinv"]["tried"]) <= 10
    assert not set(peers.VALIDATION) & set(peers.TEST)
    assert len(peers.TEST) >= 8


@each_cell
def test_rows_and_differences_are_the_means_of_their_slices(name, method):
    found = RESULT["quality"][name][method]
    rows = {label: row for label, row in found.items() if "psnr_of_each" in row}
    each = {label: torch.tensor(row["psnr_of_each"]) for label, row in rows.items()}
    for label, row in rows.items():
        assert len(each[label]) == len(peers.TEST)
        assert each[label].mean() == pytest.approx(row["psnr"]["value"], abs=1e-3)
        assert row["psnr"]["low"] < row["psnr"]["value"] < row["psnr"]["high"]
    gap = (each["ours"] - each["deepinv"]).mean()
    assert gap == pytest.approx(found["ours - deepinv"]["value"], abs=1e-3)


def equal(gap: dict) -> bool:
    """Within 0.1 dB, or the 95 % interval of the paired difference holds 0."""
    return abs(gap["value"]) <= 0.1 or gap["low"] <= 0 <= gap["high"]


@each_cell
def test_equal_quality_or_the_reason_of_the_difference(name, method):
    """Where the paired scores differ, giving one library the rule of the other removes the difference."""
    found = RESULT["quality"][name][method]
    assert RESULT["why"][method]
    assert equal(found["ours - deepinv"]) or equal(found["explained - its equal"])


@pytest.mark.parametrize("name", peers.TASKS)
def test_what_is_said_about_each_method(name):
    found = RESULT["quality"][name]
    assert equal(found["DiffPIR"]["ours - deepinv"])
    assert found["DPS"]["ours - deepinv"]["low"] > 0  # the authors' step, at few steps
    if name == "inpainting":  # half the noise variance, and so a higher score for one sample
        assert found["DDRM"]["ours - deepinv"]["high"] < 0
    else:
        assert equal(found["DDRM"]["ours - deepinv"])


@each_cell
def test_nothing_was_chosen_at_the_edge_of_a_free_range(name, method):
    """zeta and weight have neighbours on both sides; eta and DiffPIR's zeta end at 1 by definition."""
    if method == "DPS":
        for label, grid in zip(("ours", "deepinv"), peers.GRIDS[method], strict=True):
            assert RESULT["quality"][name][method][label]["knobs"] not in (grid[0], grid[-1])


@each_method
def test_ours_takes_no_longer_a_step(method):
    row = RESULT["timing"][method]
    assert len(row["ratios"]) == peers.ROUNDS
    assert torch.tensor(row["ratios"]).median() == pytest.approx(row["ratio"], abs=1e-3)
    assert row["ratio"] <= 1.03


@pytest.mark.parametrize("method", ["DPS", "DiffPIR"])
def test_one_cell_again_on_two_slices(method):
    """Ours, with the chosen setting; a network may differ in the last digits between machines."""
    task = tasks.make("inpainting", peers.TEST[:2])
    stored = RESULT["quality"]["inpainting"][method]["ours"]
    sigmas = torch.tensor(RESULT["quality"]["inpainting"][method]["levels"], dtype=torch.float64)
    got = task.psnr(peers.ours(method, task, sigmas, stored["knobs"]))
    torch.testing.assert_close(got, torch.tensor(stored["psnr_of_each"][:2]), atol=0.1, rtol=0)


def test_levels_are_carried_to_the_time_of_the_other_library():
    """Its VP path from 0 to t holds abar = exp(-(0.1 t + 19.9 t^2 / 2)), on images from -1 to 1."""
    sigmas = torch.tensor([5.0, 0.3, 0.02, 0.0], dtype=torch.float64)
    t = deepinv_peer.clock(sigmas)
    abar = (-(0.1 * t + 19.9 * t**2 / 2)).exp()
    torch.testing.assert_close(((1 - abar) / abar).sqrt() / 2, sigmas)
    assert deepinv_peer.clock(torch.tensor(0.0)) == 0


def test_small_singular_values_are_left_out():
    A, x = Blur(gaussian_kernel(9, 1.5)), torch.zeros(1, 1, 16, 16)
    full, cut = svd(A, x).values, svd(peers.Truncated(A.kernel, 0.1), x).values
    assert (cut[full <= 0.1] == 0).all()
    assert (cut[full > 0.1] == full[full > 0.1]).all()
    assert 0 < (cut == 0).float().mean() < 1


def test_without_the_library_the_benchmark_is_left_out_and_says_where_it_runs(monkeypatch, capsys):
    monkeypatch.setattr(peers, "NEEDS", "no_such_package")
    assert command.lacks("peers") == "no_such_package"
    assert command.lacks("speed") is None
    monkeypatch.setattr("sys.argv", ["benchmarks", "peers"])
    with pytest.raises(SystemExit):
        command.main()
    assert "peers needs no_such_package" in capsys.readouterr().err
    assert math.isfinite(RESULT["timing"]["DPS"]["ratio"])
