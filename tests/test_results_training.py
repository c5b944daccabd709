"""What `make bench` stored on training choices: made by this code, claims of the chapter, re-derived."""

import json
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import training  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut.data.brain import Brain  # noqa: E402

STORED = json.loads((ROOT / "results" / "training.json").read_text(encoding="utf-8"))
ROWS, BASE = STORED["rows"], STORED["rows"][training.BASE]


def test_results_belong_to_this_code():
    assert fresh(ROOT / "results" / "training.json", training.MADE_FROM)
    assert list(ROWS) == [name for rows in training.variants().values() for name in rows]


def test_intervals_hold_their_value():
    for name, row in ROWS.items():
        for kind in ("psnr", "minus_base", "mmd2", "brightness"):
            assert row[kind]["low"] <= row[kind]["value"] <= row[kind]["high"], name
        assert row["psnr"]["value"] == pytest.approx(sum(row["psnr_by_level"]) / 4, abs=1e-2)
        difference = row["psnr"]["value"] - BASE["psnr"]["value"]
        assert row["minus_base"]["value"] == pytest.approx(difference, abs=1e-3)


def test_each_bad_target_fails_where_theory_says():
    lost = {name: [b - r for b, r in zip(BASE["psnr_by_level"], ROWS[name]["psnr_by_level"], strict=True)]
            for name in ("eps", "x0")}  # fmt: skip
    assert lost["eps"][-1] > 2 > 0.5 > max(abs(v) for v in lost["eps"][:2])
    assert lost["x0"][0] > 4 > 0.6 > max(abs(v) for v in lost["x0"][2:])
    for name in ("EDM, sd 0.6", "flow"):
        assert abs(ROWS[name]["minus_base"]["value"]) < 0.3


def test_an_average_with_a_long_memory_ruins_a_short_training():
    kinds = STORED["averages"]
    assert kinds["0.9999"]["minus_base"]["high"] < -2
    assert abs(kinds["none"]["minus_base"]["value"]) < 0.1  # the falling rate does what an average would
    assert 0.9999 ** STORED["settings"]["steps"] > 0.95


class OnDemand:
    """The training slices, made when they are asked for; shift and scale as in `train`."""

    shift, scale = 0.0, 1.0

    def __sub__(self, shift):
        self.shift = shift
        return self

    def __mul__(self, scale):
        self.scale = scale
        return self

    def __getitem__(self, index):
        image = Brain("train", size=64, contrasts=("T1",)).batch(index.tolist()).image
        return (F.avg_pool2d(image, 2) - self.shift) * self.scale


def test_the_first_losses_come_out_again(monkeypatch):
    monkeypatch.setattr(training, "slices", lambda *_: (OnDemand(), None))
    _, losses = training.train(training.Variant(), 0, stop=4)
    assert losses.tolist() == pytest.approx(STORED["first_losses"][:4], rel=0.02)
    assert torch.isfinite(losses).all()
