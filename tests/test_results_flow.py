"""What `make bench` stored on samples by the number of Euler steps: fresh, its claims, a part re-derived."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import medtut as mt  # noqa: E402
from benchmarks import flow_steps  # noqa: E402
from benchmarks.store import fresh  # noqa: E402

PATH = ROOT / "results" / "flow_steps.json"


@pytest.fixture(scope="module")
def stored():
    return json.loads(PATH.read_text(encoding="utf-8"))


def test_result_belongs_to_this_code_and_these_weights():
    assert fresh(PATH, flow_steps.MADE_FROM)


def test_more_steps_come_nearer_to_the_floor(stored):
    rows = stored["mmd2"]
    floor = rows["held-out slices"]
    assert floor["low"] < 0 < floor["high"]  # slices against slices: no difference
    for name in flow_steps.NETWORKS:
        distances = [rows[f"{name} {n}"]["value"] for n in stored["settings"]["steps"]]
        assert all(a > b for a, b in pairwise(distances))
        assert distances[0] > 10 * distances[-1] > 10 * floor["value"]  # one step is the average image


def test_differences_are_those_of_the_rows(stored):
    v, f = flow_steps.NETWORKS
    for n, gap in stored["flow - v"].items():
        difference = stored["mmd2"][f"{f} {n}"]["value"] - stored["mmd2"][f"{v} {n}"]["value"]
        assert gap["value"] == pytest.approx(difference, abs=1e-12)
        assert gap["low"] < gap["value"] < gap["high"]


@pytest.mark.parametrize("name", flow_steps.NETWORKS)
def test_the_first_samples_are_drawn_again(name, stored):
    _, label = flow_steps.slices("heldout", flow_steps.REFERENCE, 2)
    drawn = flow_steps.draw(mt.load(name, "cpu"), label, 0, 2).mean((1, 2, 3)).tolist()
    assert drawn == pytest.approx(stored["first_means"][f"{name} 2"], abs=1e-4)


def test_student_s_interval():
    """Four numbers by hand: mean 2.5, standard deviation sqrt(5/3), half width 3.1824 sd / 2."""
    found = flow_steps.interval([1.0, 2.0, 3.0, 4.0])
    half = 3.1824 * (5 / 3) ** 0.5 / 2
    assert found == pytest.approx({"value": 2.5, "low": 2.5 - half, "high": 2.5 + half})
