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
sys.path.insert(0, str(ROOT / "tools"))

import fresh  # noqa: E402

ROWS = yaml.safe_load((ROOT / "book" / "papers.yml").read_text(encoding="utf-8"))
AXES = yaml.safe_load((ROOT / "book" / "axes.yml").read_text(encoding="utf-8"))
BIB = parse_file(str(ROOT / "book" / "references.bib"))
NEEDED = {"key", "name", "kind", "task", "modality", "organ", "framework", "mechanism", "targets", "code",
          "notebook", "baseline", "result", "differs"}
OPTIONAL = {"operator", "also", "weights"}
each_row = pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])


def values(row, axis):
    value = row[axis]
    return value if isinstance(value, list) else [value]


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
        assert set(values(row, axis)) <= {*known, "none", "any"}, f"{axis} has a value that axes.yml lacks"


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
