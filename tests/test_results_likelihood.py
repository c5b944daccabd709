"""What `make bench` stored on likelihood as a score of anomaly: fresh, its claims, a part re-derived."""

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import likelihood  # noqa: E402
from benchmarks.store import fresh  # noqa: E402

STORED = json.loads((ROOT / "results" / "likelihood.json").read_text(encoding="utf-8"))
BITS = {kind: torch.tensor(STORED[kind]["bits"]) for kind in likelihood.KINDS}


def auc(kind):
    return float((BITS[kind][:, None] > BITS["healthy"]).double().mean())


def test_results_belong_to_this_code_and_this_prior():
    assert fresh(ROOT / "results" / "likelihood.json", likelihood.MADE_FROM)
    assert [len(BITS[kind]) for kind in likelihood.KINDS] == [likelihood.SUBJECTS] * 4 + [1]


def test_lesions_are_not_found_and_wrong_images_look_likelier():
    assert 0.4 < auc("lesioned") < 0.6
    assert auc("blurred") < 0.05 and auc("phantom") < 0.4
    assert float(BITS["blank"]) < float(BITS["healthy"].min())


def test_one_probe_is_precise_enough():
    """Its spread is far below that of the subjects."""
    assert float(torch.tensor(STORED["probes"]).std(1).max()) < 0.1 * float(BITS["healthy"].std())


def test_the_black_image_again():
    found = likelihood.bits("blank", range(1))
    assert float(found["bits"]) == pytest.approx(STORED["blank"]["bits"][0], abs=0.01)
    small = likelihood.png_bits(likelihood.pictures("healthy", range(1))[0])
    assert small == pytest.approx(STORED["healthy"]["png"][0], rel=0.05)
