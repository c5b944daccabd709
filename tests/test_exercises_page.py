"""The list of all exercises, and what the browser remembers of exercises and quizzes."""

import json
import re
import sys
from pathlib import Path

import pytest
from in_node import call

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "ext"))

import exercises  # noqa: E402

CHAPTERS = exercises.read_chapters(ROOT)
ANSWER = re.compile(r"<details>\n<summary>\s*([A-F])\. .*?</summary>(.*?)</details>", re.DOTALL)


def cells(page: str) -> list[dict]:
    return json.loads((ROOT / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8"))["cells"]


def questions(page: str) -> dict[str, list[tuple[str, str]]]:
    """Number of each quiz question of a chapter -> (letter, text) of its answers."""
    text = "\n\n".join("".join(c["source"]) for c in cells(page) if "quiz" in exercises.tags(c))
    parts = exercises.QUESTION.split(text)[1:]
    numbers = parts[::2]
    assert len(set(numbers)) == len(numbers), f"{page}: two questions have the same number"
    return {number: ANSWER.findall(part) for number, part in zip(numbers, parts[1::2], strict=True)}


def test_the_list_holds_every_exercise_once():
    tagged = [tag for c in CHAPTERS for cell in cells(c.page) if (tag := exercises.tagged(cell, "stub"))]
    assert [e.id for c in CHAPTERS for e in c.exercises] == tagged
    assert len(set(tagged)) == len(tagged) >= 3 * len(CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.page)
def test_every_exercise_says_what_it_asks_and_what_an_answer_is(chapter):
    sources = ["".join(cell["source"]) for cell in cells(chapter.page)]
    headings = re.findall(r"^### (.+)$", "\n".join(sources), re.MULTILINE)
    for number, exercise in enumerate(chapter.exercises, 1):
        assert exercise.title.startswith(f"Exercise {number}: ") and exercise.title in headings
        assert len(exercise.question.split()) >= 5 and exercise.question.endswith((".", "?", "!", "…"))
        assert re.search(r"`\w+(\(.*\))?`$", exercise.needs), exercise.needs
        assert not re.search(r"(^| )0 lines", exercise.needs)


def test_the_lines_of_an_answer_are_counted_in_the_solution():
    stub = "def f(x):\n    return ...  # your line\n\n\nmt.checks.mark('a', f)"
    solution = "def f(x):\n    # twice\n    y = x + x\n    return y\n\n\nmt.checks.mark('a', f)"
    assert exercises.needs(stub, solution) == "2 lines in `f(x)`"
    assert exercises.needs("w = ...  # a number", "w = 3") == "a number, `w`"


def test_every_quiz_question_has_exactly_one_right_answer():
    """The rule of progress.js, run on every answer of every chapter."""
    asked = {f"{c.page}#{n}": answers for c in CHAPTERS for n, answers in questions(c.page).items()}
    assert len(asked) == sum(c.questions for c in CHAPTERS) >= 2 * len(CHAPTERS)
    assert all(len(answers) >= 2 for answers in asked.values())
    texts = {key: [text for _, text in answers] for key, answers in asked.items()}
    right = call("progress.js", "given.map((texts) => texts.map(it.isRight))", list(texts.values()))
    assert [key for key, marks in zip(texts, right, strict=True) if sum(marks) != 1] == []


def test_a_file_of_progress_is_added_and_no_other():
    mine = {"exercises": {"a-1": True}, "quiz": {"x#1": {"first": "A", "right": False}}}
    theirs = {"kind": "medtut-progress", "version": 1, "exercises": {"b-1": True, "c-1": "no"},
              "quiz": {"x#1": {"first": "B", "right": True}, "x#2": {"first": "C", "right": True}, "x#3": {}}}
    found = call("progress.js", "it.merged(given[0], it.parsed(given[1]))", [mine, json.dumps(theirs)])
    assert found["exercises"] == {"a-1": True, "b-1": True}
    assert found["quiz"] == {"x#1": {"first": "A", "right": False}, "x#2": {"first": "C", "right": True}}
    others = ["", "{", "[]", "null", '{"kind": "medtut-quiz"}', '{"kind": "medtut-progress", "quiz": {}}']
    assert call("progress.js", "given.map(it.parsed)", others) == [None] * len(others)
