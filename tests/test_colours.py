"""The colours of figures are told apart by colour-blind readers, and in grey print their light order stays.

Protanopia and deuteranopia are simulated with the matrices of Machado, Oliveira and Fernandes, "A
physiologically-based model for simulation of color vision deficiency", IEEE Trans. Vis. Comput. Graph. 15(6),
2009, severity 1, applied to linear RGB. Differences are distances in CIELAB under D65.
"""

import ast
import json
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import medtut as mt

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868],
                            [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968],
                              [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                [0.0193339, 0.1191920, 0.9503041]])
LEAST = 10.0  # a difference of 2.3 is just noticed side by side; thin lines need several times that
SEPARATE = 20.0  # for colours of which a figure's first lines are drawn


def linear(rgb):
    rgb = np.asarray(rgb, float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb, sight="full"):
    """CIELAB of sRGB colours (..., 3), as the eye of that kind sees them."""
    seen = np.clip(linear(rgb) @ SIGHT[sight].T, 0, 1)
    ratio = seen @ XYZ.T / XYZ.sum(1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def difference(one, other, sight):
    return float(np.linalg.norm(lab(to_rgb(one), sight) - lab(to_rgb(other), sight)))


def calls(file):
    """(cell number, call) of every call in a notebook's code."""
    for number, cell in enumerate(json.loads(file.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
            for node in ast.walk(ast.parse("\n".join(lines))):
                if isinstance(node, ast.Call):
                    yield number, node


def literals(keyword):
    """{text: where it is first used} of every literal that chapters give to this argument."""
    found = {}
    for file in NOTEBOOKS:
        for number, call in calls(file):
            for argument in call.keywords:
                if argument.arg == keyword:
                    for node in ast.walk(argument.value):
                        if isinstance(node, ast.Constant) and isinstance(node.value, str):
                            found.setdefault(node.value, f"{file.stem}, cell {number}")
    return found


def test_lab_is_right():
    """White, black and pure red as CIE tables have them."""
    assert lab((1, 1, 1)) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab((0, 0, 0)) == pytest.approx([0, 0, 0], abs=0.02)
    assert lab((1, 0, 0)) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


def test_simulation_confuses_what_the_colour_blind_confuse():
    """Red and green of equal light are far apart for full sight and near for the others; greys stay greys."""
    red, green = "#c04040", "#678000"
    for sight in ("protanopia", "deuteranopia"):
        assert difference(red, green, sight) < 0.6 * difference(red, green, "full")
    for matrix in SIGHT.values():
        assert matrix.sum(1) == pytest.approx(np.ones(3), abs=1e-3)


@pytest.mark.parametrize("sight", SIGHT)
def test_line_colours_differ(sight):
    """Any two of the palette's seven differ for every reader, the first three clearly; all have markers."""
    colours = mt.plots.COLOURS
    assert [pair for pair in combinations(colours, 2) if difference(*pair, sight) < LEAST] == []
    assert min(difference(a, b, sight) for a, b in combinations(colours[:3], 2)) > SEPARATE
    assert len(set(mt.plots.MARKERS)) == len(colours)


def test_colour_maps_keep_their_order_in_grey():
    """Every colour map in use gets lighter, or darker, all the way, for every eye."""
    source = (ROOT / "medtut" / "plots.py").read_text(encoding="utf-8")
    words = {n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)}
    named = set(literals("cmap")) | words & set(plt.colormaps())
    assert {"gray", "magma", "inferno", "cividis"} <= named
    for name in named:
        for sight in SIGHT:
            light = lab(plt.get_cmap(name)(np.linspace(0, 1, 64))[:, :3], sight)[:, 0]
            steps = np.diff(light) * np.sign(light[-1] - light[0])
            assert steps.min() > -0.3, f"{name} turns back for {sight}"
            assert abs(light[-1] - light[0]) > 50, f"{name} spans too little light for {sight}"


def test_a_rainbow_would_fail():
    """The test of colour maps can fail: jet turns back."""
    light = lab(plt.get_cmap("jet")(np.linspace(0, 1, 64))[:, :3])[:, 0]
    assert (np.diff(light) * np.sign(light[-1] - light[0])).min() < -0.3


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda f: f.stem)
def test_colours_in_one_figure_differ(file):
    """The named colours of one cell, other than greys, differ pairwise for every reader."""
    cells = {}
    for number, call in calls(file):
        for argument in call.keywords:
            value = getattr(argument.value, "value", None)
            if argument.arg in ("color", "c", "colors") and isinstance(value, str):
                cells.setdefault(number, set()).add(value)
    for number, named in cells.items():
        hues = [c for c in named if len(set(to_rgb(c))) > 1]
        for (a, b), sight in ((pair, s) for pair in combinations(hues, 2) for s in SIGHT):
            assert difference(a, b, sight) > LEAST, f"cell {number}: {a} and {b} for {sight}"
