"""Every row of book/papers.yml resolves: code, citation, chapter, bibliography, result.

The bibliography itself is sound.
"""

import ast
import importlib
import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from pybtex.database import parse_file

import medtut.posterior

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "ext")]

import fresh  # noqa: E402
import need  # noqa: E402
import papers  # noqa: E402
import reference  # noqa: E402

ROWS = yaml.safe_load((ROOT / "book" / "papers.yml").read_text(encoding="utf-8"))
AXES = yaml.safe_load((ROOT / "book" / "axes.yml").read_text(encoding="utf-8"))
BIB = parse_file(str(ROOT / "book" / "references.bib"))
ACCEPTED = AXES.pop("accepted")
NEEDS = [each for group in need.read_needs(ROOT) for each in group["needs"]]
NEEDED = {"key", "name", "about", "kind", "task", "modality", "organ", "framework", "mechanism", "targets",
          "code", "notebook", "baseline", "result", "differs"}
OPTIONAL = {"operator", "also", "weights", "number", "board", "figure"}
each_row = pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])


def load(name):
    module, _, path = name.partition(":")
    return getattr(importlib.import_module(module), path)


@each_row
def test_fields(row):
    assert set(row) >= NEEDED, f"missing: {NEEDED - set(row)}"
    assert set(row) <= NEEDED | OPTIONAL, f"unknown: {set(row) - NEEDED - OPTIONAL}"
    assert row["kind"] in ("function", "recipe", "case")
    assert row["targets"] in ("posterior", "approximation", "point")
    for axis, known in AXES.items():
        found = set(papers.values_of(row, axis, ACCEPTED))
        assert found <= {*known, "none", "any"}, f"{axis} has a value that axes.yml lacks"


@each_row
def test_code_imports_and_cites(row):
    said = load(row["code"]).__doc__ or ""
    assert f"[{row['key']}" in said, f"the docstring of {row['code']} cites no {row['key']}"
    for name in row.get("also", []):
        assert callable(load(name))


@each_row
def test_key_is_in_the_bibliography(row):
    assert row["key"] in BIB.entries


@each_row
def test_chapter_has_the_section(row):
    path, _, anchor = row["notebook"].partition("#")
    cells = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    section = re.search(rf"^\({re.escape(anchor)}\)=\n+#+ ", text, flags=re.M)
    assert section, f"{path} has no section ({anchor})="
    assert "{papers-here}" in text, f"{path} has no list of the papers met"


@each_row
def test_result_is_fresh(row):
    assert fresh.faults(row["result"]) == []


@each_row
def test_the_number_is_read_from_a_fresh_result(row):
    if "number" not in row:
        assert row["name"] in ("Hybrid input-output", "MONAI bundle"), "choose one of its chapter"
        return
    assert set(row["number"]) <= {"says", "value", "baseline", "unit", "format", "file"}
    file = row["number"].get("file", Path(row["result"]).name)
    assert f"results/{file}" in {other["result"] for other in ROWS}, "only these are known to be fresh"
    says, value, others = papers.measured(ROOT, row)
    assert re.match(r"-?\d+(\.\d+)?( [^\d]+)?$", value)
    assert all(re.match(r"-?\d", other) for _, other in others)
    assert says


@each_row
def test_the_card_has_a_figure_of_the_chapter(row):
    path, _, anchor = row["notebook"].partition("#")
    text = (ROOT / path).read_text(encoding="utf-8")
    name = row.get("figure") or papers.first_figure(ROOT / path, anchor)
    assert f'"name": "{name}"' in text, f"{row['name']} has no figure; name one in its row"


@each_row
def test_the_source_on_github_is_the_definition(row):
    address = papers.code_address(ROOT, row["code"])
    about = reference.citation(ROOT)
    tree = f"{about['repository-code']}/blob/v{about['version']}/"
    assert address.startswith(tree)
    path, _, lines = address.removeprefix(tree).partition("#")
    first, last = (int(n) for n in re.fullmatch(r"L(\d+)-L(\d+)", lines).groups())
    shown = (ROOT / path).read_text(encoding="utf-8").splitlines()[first - 1 : last]
    name = row["code"].partition(":")[2]
    assert any(re.match(rf"(def|class) {name}\b", line) for line in shown)


def test_leaderboard_rows_are_found():
    """A row that names a method of the leaderboard names one that stands there; CT only if it ran on CT."""
    for row in ROWS:
        if "board" in row:
            tasks = [task for task, _, _ in papers.on_the_board(ROOT, row["board"])]
            assert tasks, row["board"]
            assert "CT" not in papers.as_list(row["modality"]) or any("CT" in task for task in tasks)


def test_anchors_of_cards_are_unique():
    names = papers.names_of(ROWS)
    assert len(names) == len(set(names))
    assert "method-chung2023dps" in names


@pytest.mark.parametrize("entry", NEEDS, ids=[each["title"] for each in NEEDS])
def test_each_need_leads_somewhere(entry):
    """The section exists, and the filter finds a system or a value that is said not to be covered."""
    path, _, anchor = entry["start"].partition("#")
    assert f"({anchor})=" in (ROOT / path).read_text(encoding="utf-8")
    assert set(entry["finder"]) <= {*papers.AXES, "targets"}

    def fits(row, axis, value, any_too=("any",)):
        return bool({value, *any_too} & set(papers.values_of(row, axis, ACCEPTED)))

    wanted = entry["finder"].items()
    bare = [value for axis, value in wanted if not any(fits(row, axis, value, ()) for row in ROWS)]
    assert bare or any(all(fits(row, *pair) for pair in wanted) for row in ROWS)
    assert not bare or "not covered" in entry["advice"]
    assert len(entry["words"]) == len(set(entry["words"]))
    assert re.search(r"\{(result|cite)\}`", entry["advice"]), "advice needs a result or a citation"


def test_names_are_unique():
    names = [row["name"].lower() for row in ROWS]
    assert len(names) == len(set(names))


def test_every_posterior_function_has_a_row():
    named = {name for row in ROWS for name in [row["code"], *row.get("also", [])]}
    for name in medtut.posterior.__all__:
        thing = getattr(medtut.posterior, name)
        if not isinstance(thing, type):
            assert f"{thing.__module__}:{name}" in named, f"posterior.{name} has no row in papers.yml"


@pytest.mark.parametrize("key", list(BIB.entries))
def test_bibliography_entry(key):
    entry = BIB.entries[key]
    assert entry.persons.get("author"), "no author"
    assert entry.fields.get("title")
    assert re.fullmatch(r"(19|20)\d\d", entry.fields.get("year", ""))
    assert {"doi", "eprint", "url"} & set(entry.fields), "neither DOI, nor arXiv number, nor address"
    if "eprint" in entry.fields:
        assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.fields["eprint"])
    if "doi" in entry.fields:
        assert re.fullmatch(r"10\.\d{4,9}/\S+", entry.fields["doi"])


def test_every_docstring_citation_resolves():
    found = set()
    for file in (ROOT / "medtut").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found |= set(re.findall(r"\[([a-z]+\d{4}[a-z]*)[,\]]", ast.get_docstring(node) or ""))
    assert found
    assert found <= set(BIB.entries), found - set(BIB.entries)
