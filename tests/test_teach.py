"""The instructor guide says what the chapters say: sections, figures, answers, keys, checkers' sentences."""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import teach_messages  # noqa: E402
import teach_pages  # noqa: E402

ROWS = teach_pages.chapters(ROOT)
NEEDED = {"idea", "ask", "reply", "slot", "errors", "skip", "show"}


def chapter(key):
    return teach_pages.Chapter(ROOT, key)


@pytest.mark.parametrize("key", ROWS)
def test_a_row_names_what_the_chapter_has(key):
    row, there = ROWS[key], chapter(key)
    assert set(row) == NEEDED
    plan = teach_pages.slot(row)
    assert [heading for _, heading, _ in plan if heading not in there.headings] == []
    assert sum(minutes for minutes, _, _ in plan) == 45 or (not plan and key.startswith("0_workshop/"))
    assert [name for name in row["show"] if name not in there.figures()] == []
    assert len(row["errors"]) >= 2 and all(set(e) == {"says", "answer"} for e in row["errors"])


@pytest.mark.parametrize("key", ROWS)
def test_numbers_in_a_row_are_not_measurements(key):
    """Minutes, exercises and definitions may be typed; decibels, seconds and per cents come from results/."""
    text = json.dumps(ROWS[key], ensure_ascii=False)
    assert re.findall(r"\d[\d.]*\s?(?:dB|s\b|GiB|%)", text) == []


def test_a_chapter_without_a_row_is_refused(tmp_path):
    (tmp_path / "book" / "teach").mkdir(parents=True)
    (tmp_path / "book" / "teach" / "chapters.yml").write_text("{}")
    (tmp_path / "_toc.yml").write_text("{root: notebooks/1_part/01_new}")
    with pytest.raises(KeyError, match="1_part/01_new"):
        teach_pages.chapters(tmp_path)


@pytest.mark.parametrize("key", ROWS)
def test_the_mistakes_shown_are_the_planted_ones(key):
    """That each gets the sentence shown is tested where the answers are marked, in test_exercises.py."""
    stem = "_".join(re.sub(r"^\d+_", "", part) for part in key.split("/"))
    stored = json.loads(teach_messages.FILE.read_text(encoding="utf-8"))[stem]
    planted = teach_messages.answers(
        (ROOT / "tests" / "exercises" / f"{stem}.py").read_text(encoding="utf-8")
    )
    shown = {name: [row["code"] for row in rows] for name, rows in stored.items()}
    assert shown == planted, "run python tools/teach_messages.py"


def test_a_named_function_stands_for_its_source():
    source = "def f(x):\n    return x\n\n\nWRONG = {'a-1': [(f, 'no'), (lambda x: -x, 'sign')]}\n"
    assert teach_messages.answers(source) == {"a-1": ["def f(x):\n    return x", "lambda x: -x"]}


def test_a_page_holds_answers_mistakes_and_keys():
    key = "2_sampling_and_conditioning/04_guidance"
    there = chapter(key)
    said = json.loads(teach_messages.FILE.read_text(encoding="utf-8"))["sampling_and_conditioning_guidance"]
    text = teach_pages.page(there, ROWS[key], {"cpu": {"seconds": 12.3, "gib": 1.5}}, said)
    assert "Runs in 12 s with 1.5 GiB" in text
    assert "    return d_null + w * (d_label - d_null)\n```" in text, (
        "the solution, without the line that marks it"
    )
    assert (
        "- `lambda null, label, w: w * label`\n\n  → *the weights of the two estimates must sum to 1*" in text
    )
    assert ": **C. No: the samples are narrower, and displaced away from the other classes** Yes." in text
    assert len(there.quiz()) == 4 and set(there.answers()) == set(said)


@pytest.mark.parametrize("key", ROWS)
def test_every_exercise_and_question_has_its_answer(key):
    there = chapter(key)
    stem = "_".join(re.sub(r"^\d+_", "", part) for part in key.split("/"))
    said = json.loads(teach_messages.FILE.read_text(encoding="utf-8"))[stem]
    assert set(there.answers()) == set(said)
    assert all(heading.startswith("Exercise ") and code for heading, code in there.answers().values())
    questions = sum("quiz" in c["metadata"].get("tags", []) for c in there.cells)
    assert len(there.quiz()) == questions


def test_links_of_a_chapter_survive_on_another_page():
    there = chapter("2_sampling_and_conditioning/04_guidance")
    assert there.absolute("[a](01_ddim.ipynb#x) [b](../../book/notation.md) [c](api-medtut)") == (
        "[a](/notebooks/2_sampling_and_conditioning/01_ddim.ipynb#x) [b](/book/notation.md) [c](api-medtut)"
    )


def test_pages_of_removed_chapters_go(tmp_path):
    for name in ("chapters.yml", "messages.json"):
        (tmp_path / "book" / "teach" / "chapters").mkdir(parents=True, exist_ok=True)
        (tmp_path / "book" / "teach" / name).write_text((ROOT / "book" / "teach" / name).read_text())
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "notebooks.json").write_text("{}")
    (tmp_path / "_toc.yml").write_text("{root: book/index}")
    (tmp_path / "book" / "teach" / "chapters" / "9_99_gone.md").write_text("x")
    teach_pages.write_teach_pages(tmp_path)
    assert list((tmp_path / "book" / "teach" / "chapters").iterdir()) == []
