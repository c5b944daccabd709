"""What `make bench` stored on solvers and on training: made by this code and weights, claims, re-derived."""

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import medtut as mt  # noqa: E402
from benchmarks import solvers, throughput  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut.data.brain import Brain  # noqa: E402


def stored(name):
    return json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def error():
    table = stored("solvers")["error"]
    return lambda levels, solver, calls: torch.tensor(table[levels][solver][str(calls)]).mean().item()


@pytest.mark.parametrize("module", [solvers, throughput], ids=["solvers", "throughput"])
def test_results_belong_to_this_code_and_these_weights(module):
    assert fresh(ROOT / "results" / f"{module.__name__.split('.')[-1]}.json", module.MADE_FROM)


def test_steps_cost_at_most_the_calls():
    assert [solvers.steps_of(c, 1) for c in (5, 10)] == [5, 10]
    assert [2 * solvers.steps_of(c, 2) - 1 for c in (5, 10, 20)] == [5, 9, 19]


def test_second_order_pays_from_few_calls_on_and_heun_does_not(error):
    for calls in (5, 10, 20, 40):
        assert error("karras", "DPM-Solver++ 2M", calls) < 0.8 * error("karras", "DDIM", calls)
    assert error("karras", "Heun", 5) > 1
    assert error("karras", "Heun", 20) > error("karras", "DDIM", 20)


def test_even_steps_in_log_sigma_beat_even_angles(error):
    for calls in (10, 20, 40):
        even, edm, angles = (error(k, "UniPC", calls) for k in ("geometric", "karras", "cosine"))
        assert even < 1.2 * edm
        assert edm < 0.6 * angles


def test_the_error_of_one_slice_comes_out_again():
    """Against forty calls of UniPC, whose own error is a hundredth of what is measured."""
    denoise = mt.load("brain-128")
    told = mt.given(denoise, Brain("heldout").batch([0]).label)

    def draw(solver, kind, n):
        levels = getattr(mt.schedules, kind)(n, solvers.SIGMA_MIN, solvers.SIGMA_MAX)
        return solvers.run(told, solvers.SOLVERS[solver], levels, [0], torch.device("cpu"))

    found = mt.metrics.nrmse(draw("DDIM", "karras", 5), draw("UniPC", "geometric", 40)).item()
    assert found == pytest.approx(stored("solvers")["error"]["karras"]["DDIM"]["5"][0], rel=0.03)


def test_training_s_numbers_hang_together():
    found = stored("throughput")
    assert found["device"]
    assert 0 < found["fraction_of_peak"] < found["fraction_of_peak_without_data"] < 1
    assert 0 < found["data"] < 1
    speed = found["images_a_second"] * found["teraflops_an_image"]
    assert speed == pytest.approx(found["fraction_of_peak"] * found["peak_teraflops_a_second"], rel=1e-6)
