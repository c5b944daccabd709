"""The list of mutants fits the package as it is now; `make mutate` runs them."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "mutants"))
from planted import MUTANTS  # noqa: E402


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.file}: {m.old}")
def test_mutant_can_be_planted(mutant):
    source = (ROOT / "medtut" / mutant.file).read_text(encoding="utf-8")
    assert source.count(mutant.old) == 1
    compile(source.replace(mutant.old, mutant.new), mutant.file, "exec")
    assert (ROOT / "tests" / f"test_{mutant.tests}.py").is_file()


def test_every_room_that_computes_has_mutants():
    rooms = {m.file.split("/")[0].removesuffix(".py") for m in MUTANTS}
    computing = {"denoisers", "schedules", "samplers", "operators", "physics", "posterior", "exact"}
    others = {"metrics", "calibration", "data", "nets_implicit", "supervised", "unrolled", "train"}
    taught = {"score_matching", "weightings", "families", "nets_families", "classifiers", "nets_conditional"}
    assert rooms == computing | others | taught | {"interchange", "publish"}
