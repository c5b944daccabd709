"""Marking never raises and answers usefully; numbers print as recorded, or both print."""
import json

import pytest
import torch

from medtut import checks


@pytest.fixture
def clean(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "RESULTS", tmp_path)
    monkeypatch.setattr(checks, "_current", {"stem": None, "recorded": {}})
    monkeypatch.setattr(checks, "CHECKERS", {})
    monkeypatch.delenv("MEDTUT_RECORD", raising=False)
    return tmp_path


@pytest.fixture
def double(clean):
    @checks.exercise("t-1")
    def check(answer):
        checks.compare(answer(3.0), 6.0, known={"that is the square": 9.0}, otherwise="try 1 and 2 first")
        return "twice the input"


@pytest.mark.parametrize(("answer", "words"), [
    (lambda x: 2 * x, "correct: twice the input"),
    (lambda x: x * x, "not yet: that is the square"),
    (lambda x: x, "not yet: try 1 and 2 first"),
    (lambda x: ..., "not yet: replace the dots"),
    (lambda x: 2 * ..., "not yet: replace the dots"),
    (lambda x: float("nan"), "not yet: there is a NaN"),
    (lambda x: torch.ones(2), "not yet: the shape is (2,)"),
    (lambda x: 1 / 0, "not yet: your answer raised ZeroDivisionError"),
    (lambda x: "six", "not yet: your answer raised"),
    (..., "not yet: replace the dots"),
    (7, "not yet: your answer raised TypeError"),
])
def test_every_answer_gets_its_sentence(double, capsys, answer, words):
    checks.mark("t-1", answer)
    assert capsys.readouterr().out.startswith(words)


def test_an_unknown_exercise_is_answered_too(clean, capsys):
    checks.mark("no-such", 1)
    assert "no exercise is called 'no-such'" in capsys.readouterr().out


def test_tuples_are_compared_one_by_one(clean):
    checks.compare((1.0, 2.0), (1.0, 2.0))
    with pytest.raises(checks.NotYet, match="give 2 values"):
        checks.compare(1.0, (1.0, 2.0))
    with pytest.raises(checks.NotYet, match="the second is off"):
        checks.compare((1.0, 2.1), (1.0, 2.0), otherwise="the second is off")


def test_the_stem_drops_the_numbers():
    assert checks.stem("2_sampling_and_conditioning/01_ddim") == "sampling_and_conditioning_ddim"


def record(monkeypatch, name, value, tol, **more):
    monkeypatch.setenv("MEDTUT_RECORD", "1")
    checks.chapter("0_none/00_test")
    checks.report(name, value, tol, **more)
    monkeypatch.delenv("MEDTUT_RECORD")
    checks.chapter("0_none/00_test")


def test_a_recorded_number_prints_the_same_within_tol(clean, monkeypatch, capsys):
    record(monkeypatch, "gain", 12.3449, 0.1, unit="dB")
    capsys.readouterr()
    for here in (12.3449, 12.30, torch.tensor(12.4)):
        checks.report("gain", here, 0.1, unit="dB")
        assert capsys.readouterr().out == "gain: 12.3 dB\n"


def test_a_number_out_of_tol_prints_both(clean, monkeypatch, capsys):
    record(monkeypatch, "gain", 12.3449, 0.1, unit="dB")
    capsys.readouterr()
    checks.report("gain", 12.45, 0.1, unit="dB")
    assert capsys.readouterr().out == "gain: 12.45 dB here, 12.3449 dB recorded, more than 0.1 apart\n"


def test_a_nan_never_passes(clean, monkeypatch, capsys):
    record(monkeypatch, "gain", 12.0, 0.1)
    capsys.readouterr()
    checks.report("gain", float("nan"), 0.1)
    assert "nan here" in capsys.readouterr().out


@pytest.mark.parametrize(("value", "tol", "printed"), [
    (31.4159, 0.1, "31.4"), (31.4159, 0.05, "31.42"), (31.4159, 0.02, "31.42"), (1234.0, 20, "1230"),
    (31.4159, 1, "31"), (-0.001, 0.1, "0.0")])
def test_digits_follow_the_tolerance(clean, capsys, value, tol, printed):
    checks.report("x", value, tol)
    assert capsys.readouterr().out.startswith(f"x: {printed} (")


def test_recording_writes_whole_files_and_forgets_old_names(clean, monkeypatch):
    record(monkeypatch, "old", 1.0, 0.01)
    record(monkeypatch, "new", 2.0, 0.01, se=0.005)
    assert json.loads((clean / "none_test.json").read_text()) == {
        "new": {"value": 2.0, "tol": 0.01, "unit": "", "se": 0.005}}
    assert [p.name for p in clean.iterdir()] == ["none_test.json"]


def test_without_recording_nothing_is_written(clean):
    checks.chapter("0_none/00_test")
    checks.report("x", 1.0, 0.01)
    assert list(clean.iterdir()) == []


def test_a_tolerance_must_be_positive(clean):
    with pytest.raises(ValueError, match="positive tolerance"):
        checks.report("x", 1.0, 0.0)
