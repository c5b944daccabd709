"""The tools that make and check the book, on small made-up inputs."""

import ast
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import api_pages  # noqa: E402
import check_site  # noqa: E402
import fresh  # noqa: E402

PAGE = "<html><body><article><h1>T</h1><p>{}</p></article></body></html>"


@pytest.fixture
def site(tmp_path):
    """A folder with one sound page."""
    (tmp_path / "page.html").write_text(PAGE.format("word " * 100), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("body", "fault"), [
    ("word", "fewer than"),
    ("word " * 100 + '<img src="page.html">', "without alt text"),
    ("word " * 100 + '<img alt="x" src="missing.png">', "does not exist"),
    ("word " * 100 + '<a href="missing.html">x</a>', "does not exist"),
    ("word " * 100 + '<script src="https://cdn.example/x.js"></script>', "from elsewhere"),
    ("word " * 100 + "<pre>Traceback (most recent call last)</pre>", "traceback"),
    ("word " * 100 + '<span class="problematic">x</span>', "unresolved"),
    ("word " * 100 + "{cite}`x`", "raw MyST"),
    ("word " * 100 + "not measured on two CPU cores", "missing measurement"),
])
def test_check_site_names_each_fault(site, body, fault):
    file = site / "page.html"
    assert check_site.page_faults(file, site)[0] == []
    file.write_text(PAGE.format(body), encoding="utf-8")
    assert any(fault in said for said in check_site.page_faults(file, site)[0])


def test_check_site_refuses_an_empty_folder(tmp_path, capsys):
    assert check_site.main([str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "not in the site" in said
    assert "searchindex.js is missing" in said


def test_stored_errors_are_found(tmp_path):
    cell = {"cell_type": "code", "source": "1/0", "execution_count": None,
            "outputs": [{"output_type": "error"}]}
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    assert len(check_site.stored_faults(tmp_path, ["a"])) == 2


def test_docstrings_become_myst():
    node = ast.parse('def f():\n    """Cites [ho2020ddpm, eq. 11], has `x_0 [a1]` and a < b."""').body[0]
    assert api_pages.docstring(node) == r"Cites ({cite:alp}`ho2020ddpm`, eq. 11), has `x_0 [a1]` and a \< b."


def test_every_public_module_is_on_an_api_page():
    found = {name for modules in api_pages.rooms(ROOT / "medtut").values() for name, _ in modules}
    assert {"medtut.denoisers", "medtut.samplers.ode", "medtut.posterior.guidance"} <= found
    assert not any("__main__" in name for name in found)


@pytest.fixture
def course(tmp_path):
    """A repository with one function, one weight file, one result and one row."""
    for folder in ("book", "results", "medtut/weights"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "medtut" / "a.py").write_text('def f(x):\n    """Doc."""\n    # why\n    return x\n')
    (tmp_path / "medtut" / "weights" / "w.safetensors").write_bytes(b"w")
    (tmp_path / "results" / "r.json").write_text("{}")
    row = "[{name: R, code: 'medtut.a:f', weights: [w], result: results/r.json}]"
    (tmp_path / "book" / "papers.yml").write_text(row)
    fresh.record("results/r.json", tmp_path)
    return tmp_path


def test_a_result_is_fresh_until_something_changes(course):
    assert fresh.faults("results/r.json", course) == []
    (course / "medtut" / "a.py").write_text('def f(x):\n    """Other words."""\n    return x\n')
    assert fresh.faults("results/r.json", course) == [], "words and comments change no result"


@pytest.mark.parametrize(("file", "text"), [
    ("medtut/a.py", "def f(x):\n    return -x\n"),
    ("medtut/weights/w.safetensors", "v"),
    ("results/r.json", "{ }"),
])
def test_a_change_makes_a_result_stale(course, file, text):
    (course / file).write_text(text)
    assert len(fresh.faults("results/r.json", course)) == 1


def test_a_result_without_stamp_is_not_fresh(course):
    (course / "results" / "fresh.json").unlink()
    assert fresh.faults("results/r.json", course) == ["results/r.json was never stamped"]
    assert fresh.faults("results/none.json", course) == ["results/none.json does not exist"]
