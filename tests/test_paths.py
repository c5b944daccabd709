"""Paths through the course: slots without chapters are left out, and what is left adds up."""

import ast
import builtins
import re
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book" / "ext"), str(ROOT / "tools")]

import check_site  # noqa: E402
import paths  # noqa: E402

ALL = yaml.safe_load((ROOT / "book" / "paths.yml").read_text(encoding="utf-8"))
TOC = check_site.toc_files(ROOT)
FIELDS = {"at", "minutes", "label", "title", "pages", "do", "stumbles", "skip"}
WORKSHOP = ROOT / "notebooks" / "0_workshop" / "01_ninety_minutes.ipynb"

PLANTED = """
short:
  title: Short
  for: a test
  slots:
    - {minutes: 20, title: Here, pages: ["1_part/01_here#section-here", 1_part/03_gone], do: Read.}
    - {minutes: 30, title: Absent, pages: [1_part/02_absent, "1_part/03_gone#x"], do: Run.}
    - {minutes: 10, title: Break, do: Rest.}
"""
PAGE = """# Short

```{path-table} short
```

See {maybe}`the page </page>`, {maybe}`a section </page#section-here>`, {maybe}`live slices </book/live>`.

:::{if-page} /book/live
Only with live slices.
:::

:::{if-page} /page
Only with the page.
:::
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small book that lacks two of the chapters that its path names; its index as HTML."""
    root = tmp_path_factory.mktemp("book")
    (root / "book" / "paths").mkdir(parents=True)
    (root / "book" / "paths.yml").write_text(PLANTED, encoding="utf-8")
    (root / "results").mkdir()
    measured = '{"1_part/01_here": {"cpu": {"seconds": 12.0}}}'
    (root / "results" / "notebooks.json").write_text(measured, encoding="utf-8")
    (root / "notebooks" / "1_part").mkdir(parents=True)
    (root / "notebooks" / "1_part" / "01_here.md").write_text("(section-here)=\n# Section\n\nWords.\n")
    (root / "page.md").write_text("# A page\n\nWords.\n")
    (root / "index.md").write_text(PAGE)
    extensions = ["myst_parser", "sphinx_design", "paths"]
    settings = {"extensions": extensions, "myst_enable_extensions": ["colon_fence"]}
    log = (root / "log.txt").open("w+", encoding="utf-8")
    app = Sphinx(root, None, root / "out", root / "trees", "html", settings, status=None, warning=log)
    app.build()
    log.seek(0)
    assert [line for line in log if "paths.css" not in line and "toctree" not in line] == []
    return (root / "out" / "index.html").read_text(encoding="utf-8")


def test_a_slot_without_its_chapters_is_left_out(built):
    assert "Here" in built
    assert "Break" in built
    for gone in ("Absent", "02_absent", "03_gone", "0:50", "1 h"):
        assert gone not in built
    assert "0:20–0:30" in built
    assert re.search(r"Together: 30 min</strong>", built)


def test_a_link_may_be_left_out(built):
    assert re.search(r'<a [^>]*href="page.html"[^>]*>.*?the page', built)
    assert re.search(r'<a [^>]*href="notebooks/1_part/01_here.html#section-here"', built)
    assert "live slices" in built
    assert "live.html" not in built
    assert "Only with live slices" not in built
    assert "Only with the page" in built


@pytest.mark.parametrize("name", list(ALL))
def test_a_path_is_well_formed(name):
    """Known fields; each slot says what is done; what is planned adds up; the page exists."""
    slots = ALL[name]["slots"]
    assert [set(slot) - FIELDS for slot in slots if set(slot) - FIELDS] == []
    assert [slot["title"] for slot in slots if "do" not in slot] == []
    assert f"book/paths/{name}" in TOC
    left = paths.timed(ROOT, ALL[name], set(TOC))
    assert sum(slot["minutes"] for slot in left) > 0
    assert all(slot["minutes"] % 5 == 0 or name == "workshop" for slot in left)


def test_the_planned_lengths():
    total = {name: sum(slot.get("minutes", 0) for slot in path["slots"]) for name, path in ALL.items()}
    assert total["workshop"] == 90
    assert total["half_day"] == 60 + 60 + 30 + 60 + 60  # with every chapter there


def test_absent_chapters_have_no_double():
    """A path may name a chapter that is not there; not one that is there under another name."""
    named = {paths.split(e)[0] for path in ALL.values() for s in path["slots"] for e in s.get("pages", [])}
    numbers = {re.match(r".*/\d\d", page)[0] for page in TOC if page.startswith("notebooks/")}
    assert [page for page in named - set(TOC) if re.match(r".*/\d\d", page)[0] in numbers] == []
    assert {page for page in named - set(TOC) if not page.startswith("notebooks/4_")} == set()


def test_reading_time_is_computed(tmp_path):
    text = "word " * 600 + "$$ not \\prose $$\n\n```{math}\nnor this\n```\n\n```\nnor that\n```\n"
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert paths.cost(tmp_path, "page") == paths.Cost(words=600, equations=2)
    assert paths.study_minutes(tmp_path, "page") == 4 + 2 * paths.EQUATION
    notebook = paths.cost(ROOT, "notebooks/0_workshop/01_ninety_minutes")
    assert 500 < notebook.words < 3000
    assert notebook.equations <= 5
    assert notebook.exercises == 3
    assert notebook.seconds > 0


def test_numbers_are_counted():
    assert paths.count(ROOT, "chapters", TOC) == sum(page.startswith("notebooks/") for page in TOC)
    assert paths.count(ROOT, "exercises", TOC) > 3 * paths.count(ROOT, "chapters", TOC) - 3
    assert paths.count(ROOT, "chapters", TOC[:3]) < paths.count(ROOT, "chapters", TOC)
    with pytest.raises(KeyError):
        paths.count(ROOT, "patients", TOC)


def test_the_workshop_notebook_is_small():
    cells = nbformat.read(WORKSHOP, 4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert len(cells) <= 25
    assert len(re.findall(r"\(eq-[\w-]+\)", prose)) == prose.count("$$") / 2 <= 5
    assert sum(tag.startswith("stub:") for cell in cells for tag in cell.metadata.get("tags", [])) == 3


def names(tree, kind):
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}


def defined(tree):
    found = names(tree, ast.Store) | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def test_each_section_needs_the_first_cell_only():
    """Who comes late runs the first code cell, and starts at any section."""
    known, first, sections, here = set(dir(builtins)), None, 0, set()
    for cell in nbformat.read(WORKSHOP, 4).cells:
        if cell.cell_type == "markdown":
            if re.match(r"\(ninety-(?!minutes)", cell.source):
                here, sections = set(), sections + 1
            continue
        tree = ast.parse(cell.source)
        here |= defined(tree)
        first = first or here.copy()
        missing = names(tree, ast.Load) - known - first - here
        assert missing == set(), f"section {sections} needs {missing} from above"
    assert sections == 4
