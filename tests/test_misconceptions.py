"""Twenty misconceptions: each has its cell, its numbers and its question; and the quiz made of them."""

import ast
import collections
import csv
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from in_node import call

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "ext"))

import exercises  # noqa: E402
import misconceptions  # noqa: E402

ROWS = misconceptions.read_rows(ROOT)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
ITEMS = [{"id": row["id"], "claim": row["claim"], **row["quiz"]} for row in ROWS]
every = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])


def refuting() -> dict[str, list[dict]]:
    found = collections.defaultdict(list)
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for tag in exercises.tags(cell):
                if tag.startswith("refutes:"):
                    found[tag.partition(":")[2]].append(cell)
    return found


def test_twenty_beliefs_and_twenty_cells():
    assert len(ROWS) == 20
    found = refuting()
    assert sorted(found) == sorted(row["id"] for row in ROWS)
    assert all(len(cells) == 1 for cells in found.values())


@every
def test_its_cell_can_fail(row):
    """A code cell with an assertion or a reported number, stored without an error; its section is known."""
    (cell,) = refuting()[row["id"]]
    tree = ast.parse("".join(cell["source"]))
    called = [ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)]
    assert any(isinstance(n, ast.Assert) for n in ast.walk(tree)) or "mt.checks.report" in called
    assert cell["execution_count"] and not any(o["output_type"] == "error" for o in cell["outputs"])
    page, title, heading = misconceptions.refuting_cells(ROOT)[row["id"]]
    assert (ROOT / f"{page}.ipynb").is_file() and title and heading


@every
def test_its_numbers_are_measured(row):
    quoted = re.findall(r"\{result\}`([^`]+)`", row["truth"])
    assert quoted
    for text in quoted:
        name, *path = text.split(" / ")
        value = json.loads((ROOT / "results" / name).read_text(encoding="utf-8"))
        for key in path[:-1] if path[-1].startswith(".") else path:
            value = value[key]
        assert isinstance(value["value"] if isinstance(value, dict) else value, float)


@every
def test_its_question_has_one_right_answer(row):
    assert set(row) == {"id", "claim", "why", "truth", "quiz"}
    assert set(row["quiz"]) == {"case", "right", "options"}
    options = row["quiz"]["options"]
    assert 3 <= len(options) <= 4 and 0 <= row["quiz"]["right"] < len(options)
    assert len({text for text, _ in options}) == len({reason for _, reason in options}) == len(options)
    assert all(text and reason for text, reason in options)
    shown = row["quiz"]["case"] + row["claim"] + str(options)
    assert not re.search(r"[${}`]", shown), "scripts show plain text"


def test_the_right_answer_has_no_favourite_place_and_no_favourite_length():
    places = collections.Counter(row["quiz"]["right"] for row in ROWS)
    assert set(places) == {0, 1, 2} and max(places.values()) <= 8
    lengths = [[len(text) for text, _ in item["options"]] for item in ITEMS]
    longest = [item["right"] == size.index(max(size)) for item, size in zip(ITEMS, lengths, strict=True)]
    assert sum(longest) <= 8  # 6.3 on average, were length no hint


def test_scores_and_guessing():
    answers = {item["id"]: item["right"] for item in ITEMS}
    wrong = {**answers, ITEMS[0]["id"]: (ITEMS[0]["right"] + 1) % 3, ITEMS[1]["id"]: None}
    given = [ITEMS, [answers, wrong, {}]]
    scores = call("quiz.js", "given[1].map((answers) => it.score(given[0], answers))", given)
    assert scores == [20, 18, 0]
    by_chance = sum(1 / len(item["options"]) for item in ITEMS)
    assert call("quiz.js", "it.guessed(given)", ITEMS) == pytest.approx(by_chance)


def test_a_seed_gives_an_order():
    orders = call("learn.js", "[1, 1, 2].map((s) => it.shuffled(given, it.random(s)))", list(range(20)))
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == list(range(20)) != orders[0]


def test_intervals_are_those_of_scipy():
    pairs = [(0, 20), (7, 20), (10, 20), (20, 20), (150, 200)]
    intervals = call("stats.js", "given.map(([k, n]) => it.wilson(k, n))", pairs)
    for (k, n), found in zip(pairs, intervals, strict=True):
        low, high = scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
        assert [found["low"], found["high"]] == pytest.approx([low, high], abs=1e-9)
    degrees = [1, 2, 5, 19, 200]
    assert call("stats.js", "given.map(it.student)", degrees) == pytest.approx(
        scipy.stats.t.ppf(0.975, degrees), rel=1e-6)
    gains = [3, 5, -1, 4, 0, 2, 7]
    found = call("stats.js", "it.paired(given)", gains)
    theirs = scipy.stats.ttest_1samp(gains, 0).confidence_interval()
    assert [found["low"], found["high"]] == pytest.approx([theirs.low, theirs.high], rel=1e-6)


def test_the_area_is_that_of_scipy_and_its_interval_that_of_delong():
    rng = np.random.default_rng(0)
    signal, noise = rng.integers(2, 6, 11).tolist(), rng.integers(0, 5, 9).tolist()
    found = call("stats.js", "it.auc(given[0], given[1])", [signal, noise])
    area = scipy.stats.mannwhitneyu(signal, noise).statistic / (11 * 9)
    assert found["value"] == pytest.approx(area)
    wins = np.heaviside(np.subtract.outer(signal, noise), 0.5)  # DeLong's structural components
    error = (wins.mean(1).var(ddof=1) / 11 + wins.mean(0).var(ddof=1) / 9) ** 0.5
    assert found["error"] == pytest.approx(error)
    assert found["low"] == pytest.approx(max(0, area - 1.959963984540054 * error))


def saved(code: str, **rights: int) -> str:
    """A file of someone who got the first n questions right."""
    file = {"kind": "medtut-quiz", "version": 1, "code": code}
    for mode, n in rights.items():
        answers = {item["id"]: item["right"] if k < n else None for k, item in enumerate(ITEMS)}
        file[mode] = {"seed": 1, "answers": answers}
    return json.dumps(file)


def test_a_class_is_joined_and_summed():
    texts = [saved("a", before=5), saved("a", after=9), saved("b", before=8, after=10), saved("", before=6)]
    learners = "it.joined(given[0].map((text) => it.parsed(text, given[1])).filter(Boolean))"
    found = call("quiz_class.js", f"it.summary({learners}, given[1].length, stats.paired)",
                 [[*texts, "no file", "{}"], ITEMS], others=("stats.js",))
    assert sorted(found["before"]) == [5, 6, 8] and sorted(found["after"]) == [9, 10] and found["pairs"] == 2
    theirs = scipy.stats.ttest_rel([9, 10], [5, 8]).confidence_interval()
    gain = [found["gain"][k] for k in ("value", "low", "high")]
    assert gain == pytest.approx([3, theirs.low, theirs.high], rel=1e-6)
    assert found["items"][0] == {"before": 1, "after": 1} and found["items"][6] == {"before": 0.5, "after": 1}
    text = call("quiz_class.js", f"it.csv({learners}, given[1])", [[*texts, saved("=1+1", after=1)], ITEMS])
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 5 and {len(row) for row in rows} == {43}
    assert rows[1][:3] == ["a", "5", "9"] and rows[3][:3] == ["", "6", ""] and rows[4][0] == "'=1+1"
