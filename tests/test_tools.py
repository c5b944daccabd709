"""The tools that execute and check the notebooks do what they say, also when a notebook fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

TOOLS = str(Path(__file__).resolve().parents[1] / "tools")
sys.path.insert(0, TOOLS)
import budget  # noqa: E402

import notebooks  # noqa: E402

RECORD = """
import json, os, pathlib
assert os.environ["MEDTUT_RECORD"] == "1"
pathlib.Path("../../results/part_first.json").write_text(json.dumps({"a": 1}))
print(os.path.basename(os.getcwd()))
"""
KEPT = '{"kept": 1}'


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty course in a temporary folder; course(*cells) writes its only notebook and returns the path."""
    (tmp_path / "results").mkdir()
    for name, place in (("ROOT", ""), ("NOTEBOOKS", "notebooks"), ("RESULTS", "results/notebooks.json")):
        monkeypatch.setattr(budget, name, tmp_path / place)
    monkeypatch.setenv("MEDTUT_RECORD", "1")

    def write(*cells: str) -> Path:
        path = tmp_path / "notebooks" / "1_part" / "01_first.ipynb"
        path.parent.mkdir(parents=True)
        made = [new_markdown_cell("# First"), *(new_code_cell(c, metadata={"scrolled": True}) for c in cells)]
        nbformat.write(new_notebook(cells=made, metadata={"widgets": {}, "mystnb": {}}), path)
        return path

    return write


def silent(_):
    pass


def test_outputs_are_stored_without_noise(course):
    path = course(RECORD, "2 + 2")
    seconds, gib = notebooks.store(path, silent)
    stored = nbformat.read(path, as_version=4)
    assert stored.cells[1].outputs[0].text == "1_part\n"
    assert [c.execution_count for c in stored.cells[1:]] == [1, 2]
    assert stored.cells[2].outputs[0].data["text/plain"] == "4"
    assert set(stored.metadata) == {"kernelspec", "language_info", "mystnb"}
    assert all(not cell.metadata for cell in stored.cells)
    assert json.loads((budget.ROOT / "results/part_first.json").read_text()) == {"a": 1}
    assert 0.1 < seconds < 60
    assert 0.02 < gib < 1
    budget.record(budget.key(path), "cpu", seconds, gib)
    assert list(json.loads(budget.RESULTS.read_text())) == ["1_part/01_first"]


@pytest.mark.parametrize(("last", "said"), [
    ("1 / 0", "ZeroDivisionError"),
    ("import sys; print('beware', file=sys.stderr)", "beware"),
    (f"'x' * {budget.MAX_BYTES}", "at most 1 MiB"),
])
def test_a_notebook_that_fails_is_left_as_it_was(course, last, said):
    path = course(RECORD, last)
    numbers = budget.ROOT / "results/part_first.json"
    numbers.write_text(KEPT)
    before = path.read_bytes()
    assert said in notebooks.store(path, silent)
    assert path.read_bytes() == before
    assert numbers.read_text() == KEPT
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("stored", "seconds", "said"), [("5", 90, "1 failed"), ("4", 0, "at most 0 s")])
def test_nbval_is_strict_and_the_budget_holds(course, stored, seconds, said):
    """Another output than the stored one fails, and so does the right one if it takes longer than it may."""
    path = course("2 + 2")
    notebooks.store(path, silent)
    path.write_text(path.read_text().replace('"4"', f'"{stored}"'))
    limit = f"import budget, pytest, sys; budget.MAX_SECONDS = {seconds}; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", limit, "-p", "nbval_budget", "--nbval", "--nbval-current-env", str(path)]
    done = subprocess.run(command, cwd=path.parent, env={**os.environ, "PYTHONPATH": TOOLS},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1
    assert said in done.stdout
    assert ("1 passed" in done.stdout) == (stored == "4")


def test_a_run_ends_with_the_seconds_of_each_test_file(tmp_path):
    (tmp_path / "test_slow.py").write_text("import time\n\n\ndef test_it():\n    time.sleep(0.3)\n")
    (tmp_path / "test_fast.py").write_text("def test_it():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "file_seconds", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": TOOLS},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("test_")]
    seconds = {row[0]: float(row[1]) for row in rows if len(row) == 2 and row[1][0].isdigit()}
    assert list(seconds) == ["test_slow.py", "test_fast.py"]
    assert seconds["test_slow.py"] >= 0.3 > seconds["test_fast.py"]
