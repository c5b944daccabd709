"""Every exercise of every chapter: solutions pass, stubs do not, planted wrong answers are told apart."""
import importlib.util
import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest

from medtut import checks

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))


def name_of(path):
    return checks.stem(f"{path.parent.name}/{path.stem}")


def planted(name):
    path = ROOT / "tests" / "exercises" / f"{name}.py"
    assert path.exists(), f"{path.relative_to(ROOT)} is missing: it holds the chapter's planted wrong answers"
    spec = importlib.util.spec_from_file_location(f"planted_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(path, prefix):
    """Exercise id -> source, of the code cells tagged `prefix:id`."""
    found = {}
    for cell in nbformat.read(path, 4).cells:
        for tag in cell.metadata.get("tags", []):
            if tag.startswith(prefix + ":"):
                assert tag not in found, f"two cells are tagged {tag}"
                found[tag.split(":", 1)[1]] = cell
    return found


@pytest.fixture(params=NOTEBOOKS, ids=name_of)
def chapter(request):
    checks.load_checkers(name_of(request.param))
    return request.param, planted(name_of(request.param))


def said(source, module, capsys):
    capsys.readouterr()
    exec(source, module.namespace())
    return capsys.readouterr().out


def test_the_chapter_has_its_exercises_and_quizzes(chapter):
    path, module = chapter
    stubs, solutions = cells(path, "stub"), cells(path, "solution")
    assert len(stubs) >= 3
    assert list(stubs) == list(solutions) == list(module.WRONG), "stubs, solutions and WRONG differ in ids"
    assert all("hide-cell" in cell.metadata.tags for cell in solutions.values())
    every = nbformat.read(path, 4).cells
    for before, cell in itertools.pairwise(every):
        if any(tag.startswith("stub:") for tag in cell.metadata.get("tags", [])):
            assert "<details>" in before.source, f"{cell.metadata.tags}: no hint before the stub"
    quizzes = [c for c in every if "quiz" in c.metadata.get("tags", [])]
    assert len(quizzes) >= 2
    assert all(c.cell_type == "markdown" and "<details>" in c.source for c in quizzes)


def test_solutions_pass_and_stubs_do_not(chapter, capsys):
    path, module = chapter
    for kind, verdict in (("stub", "not yet: "), ("solution", "correct: ")):
        for identifier, cell in cells(path, kind).items():
            printed = said(cell.source, module, capsys)
            assert printed.splitlines()[-1].startswith(verdict), f"{kind}:{identifier} printed {printed!r}"
            assert f'mark("{identifier}"' in cell.source


def test_planted_wrong_answers_get_their_own_messages(chapter):
    path, module = chapter
    shown = json.loads((ROOT / "book" / "teach" / "messages.json").read_text(encoding="utf-8"))[name_of(path)]
    for identifier, answers in module.WRONG.items():
        assert len(answers) >= 2, f"{identifier}: plant at least two wrong answers"
        messages = [checks.verdict(identifier, answer) for answer, _ in answers]
        for message, (_, words) in zip(messages, answers, strict=True):
            assert message.startswith("not yet: "), f"{identifier}: a wrong answer passes"
            assert words in message, f"{identifier}: {message!r} does not say {words!r}"
            assert "your answer raised" not in message, f"{identifier}: {message!r} is no answer to a mistake"
        assert len(set(messages)) == len(messages), f"{identifier}: two mistakes get the same message"
        told = [row["says"] for row in shown.get(identifier, [])]
        assert told == messages, "the instructor guide is older; run python tools/teach_messages.py"


def test_nothing_passes_by_accident(chapter):
    """No answer, text, a function that raises or returns nothing: told so, neither praised nor raised."""

    def raises(*_, **__):
        raise RuntimeError("a learner's own mistake")

    for identifier in cells(chapter[0], "stub"):
        for answer in (None, "x", raises, lambda *_, **__: None, float("nan")):
            assert checks.verdict(identifier, answer).startswith("not yet: "), (identifier, answer)


def test_every_exercise_has_one_stub_one_checker_and_one_name():
    """Headings, stubs and checkers agree over the whole course; no name stands in two chapters."""
    ids = []
    for path in NOTEBOOKS:
        checks.load_checkers(name_of(path))
        text = "\n".join(c.source for c in nbformat.read(path, 4).cells if c.cell_type == "markdown")
        stubs = list(cells(path, "stub"))
        numbers = [int(n) for n in re.findall(r"^### Exercise (\d+): ", text, re.MULTILINE)]
        assert numbers == list(range(1, len(stubs) + 1)), path
        homes = {checks.CHECKERS[identifier].__module__ for identifier in stubs}
        assert homes == {f"medtut.exercises.{name_of(path)}"}, "a checker lives in another chapter's module"
        assert all("..." in cell.source for cell in cells(path, "stub").values())
        ids += stubs
    assert len(set(ids)) == len(ids)
    registered = [i for i, f in checks.CHECKERS.items() if f.__module__.startswith("medtut.exercises")]
    assert sorted(registered) == sorted(ids)


def test_the_stored_outputs_say_what_the_tests_say(chapter):
    path, _ = chapter
    for kind, verdict in (("stub", "not yet: "), ("solution", "correct: ")):
        for identifier, cell in cells(path, kind).items():
            text = "".join(o.get("text", "") for o in cell.outputs)
            assert verdict in text, f"{kind}:{identifier} is stored with {text!r}; run `make notebooks`"


def test_films_say_how_many_frames_they_have(chapter):
    path, _ = chapter
    films = [c for c in nbformat.read(path, 4).cells if "film" in c.metadata.get("tags", [])]
    assert films, "a chapter has at least one film"
    for cell in films:
        frames = [int(m[1]) for tag in cell.metadata.tags if (m := re.fullmatch(r"film-frames-(\d+)", tag))]
        assert len(frames) == 1
        assert cell.metadata.mystnb.image.alt
        pictures = [o for o in cell.outputs if "image/png" in o.get("data", {})]
        assert len(pictures) == 1, "a film cell shows one sprite sheet"
        assert pictures[0].metadata["image/png"]["alt"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_recorded_tolerances_are_tight(path):
    recorded = ROOT / "results" / f"{name_of(path)}.json"
    assert recorded.exists(), f"{path.name} has no recorded numbers; run `make notebooks`"
    entries = json.loads(recorded.read_text(encoding="utf-8"))
    for name, entry in ((name, entry) for name, entry in entries.items() if "value" in entry):
        allowed = max(0.02 * abs(entry["value"]), 0.1 if entry["unit"] == "dB" else 0, 3 * entry.get("se", 0))
        assert 0 < entry["tol"] <= allowed * (1 + 1e-9), f"{name}: tol {entry['tol']}, allowed {allowed:.3g}"
