"""What every stored chapter must be, read from the stored file; nbval runs them."""

import ast
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import budget  # noqa: E402

TOC = re.findall(r"file: (notebooks/\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
WIDGET = "application/vnd.jupyter.widget-view+json"
PATH = re.compile(r"(/|~|\.{1,2}/|[A-Za-z]:[\\/])")
INSTALLS = re.compile(r"(?:^|[!%\s])(?:pip|conda|mamba|uv|apt(?:-get)?) +install", re.MULTILINE)


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / f"{name}.ipynb", as_version=4)


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def code(name: str) -> list:
    return [c for c in read(name).cells if c.cell_type == "code" and c.source.strip()]


def tree(cell) -> ast.Module:
    """The cell as Python; IPython's own lines, such as `%matplotlib`, are left out."""
    return ast.parse("\n".join("" if re.match(r"\s*[%!]", s) else s for s in cell.source.splitlines()))


def strings(cell) -> list[str]:
    return [n.value for n in ast.walk(tree(cell)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def pictures(cell) -> bool:
    return any("image/png" in o.get("data", {}) or "image/jpeg" in o.get("data", {}) for o in cell.outputs)


def test_the_book_holds_every_notebook():
    assert TOC
    assert sorted(TOC) == [p.relative_to(ROOT).with_suffix("").as_posix() for p in budget.notebooks()]


@pytest.mark.parametrize("name", TOC)
def test_stored_as_executed(name):
    """All cells ran, in order, in one kernel; nothing failed or was said in red; no widget state is kept."""
    nb, cells = read(name), code(name)
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    kinds = [(o.output_type, o.get("name")) for c in cells for o in c.outputs]
    assert not {("error", None), ("stream", "stderr")} & set(kinds)
    assert "widgets" not in nb.metadata
    assert "version" not in nb.metadata["language_info"], "store it with tools/notebooks.py"


@pytest.mark.parametrize("name", TOC)
def test_size(name):
    """At most 1 MiB, cells of at most 25 lines, at most one class."""
    assert (ROOT / f"{name}.ipynb").stat().st_size <= budget.MAX_BYTES
    cells = code(name)
    assert [c.source for c in cells if len(c.source.strip().splitlines()) > 25] == []
    assert sum(isinstance(n, ast.ClassDef) for c in cells for n in ast.walk(tree(c))) <= 1


@pytest.mark.parametrize("name", TOC)
def test_nothing_depends_on_the_machine(name):
    """No path, no device by name, no installation."""
    cells = code(name)
    said = [s for c in cells for s in strings(c)]
    assert [s for s in said if PATH.match(s) and len(s) > 1] == []
    assert [s for s in said if "cuda" in s] == []
    assert [c.source for c in cells if INSTALLS.search(c.source) and "google.colab" not in c.source] == []


@pytest.mark.parametrize("name", TOC)
def test_every_picture_is_described(name):
    """Alternative text of four words or more; a live widget is left out of the page, which shows the film."""
    shown = [c for c in code(name) if "remove-output" not in tags(c)]
    alts = [c.metadata.get("mystnb", {}).get("image", {}).get("alt", "") for c in shown if pictures(c)]
    assert alts
    assert [alt for alt in alts if len(alt.split()) < 4] == []
    assert [c.source for c in shown for o in c.outputs if WIDGET in o.get("data", {})] == []


@pytest.mark.parametrize("name", TOC)
def test_parts_of_a_chapter(name):
    """Header box with measured time, something that moves, three exercises, papers, limits."""
    cells = read(name).cells
    first, prose = cells[0].source, "\n".join(c.source for c in cells if c.cell_type == "markdown")
    assert re.match(r"(\([\w-]+\)=\n)*# ", first)
    assert [p for p in ("header-box", "{measured}`cpu`", "{measured}`gpu`") if p not in first] == []
    assert any("film" in tags(c) and pictures(c) for c in code(name))
    stubs = {t for c in cells for t in tags(c) if t.startswith("stub:")}
    solved = {t for c in cells for t in tags(c) if t.startswith("solution:") and "hide-cell" in tags(c)}
    assert len(stubs) >= 3
    assert {s.removeprefix("stub:") for s in stubs} == {s.removeprefix("solution:") for s in solved}
    assert ":::{papers-here}" in prose


@pytest.mark.parametrize("name", TOC)
def test_what_the_package_does_is_called_mt(name):
    """A chapter reaches the package by one name, and hides no progress bar or warning filter in it."""
    imported = {ast.unparse(n) for c in code(name) for n in ast.walk(tree(c))
                if isinstance(n, ast.Import | ast.ImportFrom)}
    assert "import medtut as mt" in imported
    assert [i for i in imported if "torchvision" in i or "warnings" in i] == []


def test_costs_are_recorded_and_within_budget():
    """Seconds and memory of every notebook on two CPU cores, as the header boxes show them."""
    rows = json.loads(budget.RESULTS.read_text(encoding="utf-8"))
    names = [name.removeprefix("notebooks/") for name in TOC]
    assert sorted(rows) == sorted(names)
    assert budget.faults({n: (rows[n]["cpu"]["seconds"], rows[n]["cpu"]["gib"]) for n in names}) == []


def test_the_budget_can_be_broken():
    assert budget.faults({"a": (20.0, 1.0), "b": (30.0, 3.9)}) == []
    assert len(budget.faults({"a": (91.0, 1.0), "b": (1.0, 4.1), "c": (1.0, 1.0)})) == 3
    slow = {"a": (89.0, 1.0), "b": (91.0, 1.0)}
    assert len(budget.faults(slow)) == 2
    assert len(budget.faults(slow, mean_too=False)) == 1
