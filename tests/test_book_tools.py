"""The tools that make and check the book, on small made-up inputs."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import api_pages  # noqa: E402
import check_site  # noqa: E402
import fresh  # noqa: E402
import site_page  # noqa: E402

PAGE = "<html><body><article><h1>T</h1><p>{}</p></article></body></html>"
CHAPTER = 'word ' * 100 + '<img alt="x" src="page.html"><div class="math">a</div><div class="tag_film"></div>'
TERMS = "acceleration adjoint aliasing baseline bootstrap calibration cohort condition contrast covariance"


@pytest.fixture
def site(tmp_path):
    """A folder with one sound page."""
    (tmp_path / "page.html").write_text(PAGE.format("word " * 100), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("body", "fault"), [
    ("word " * 100 + '<a href="#nowhere">x</a>', "no such anchor"),
    ("word " * 100 + '<a href="other.html#nowhere">x</a>', "no such anchor"),
    ("word " * 100 + '<p>see <span class="xref std std-term">x</span></p>', "unresolved"),
    ("word " * 100 + "<p>:::{note}</p>", "raw MyST"),
    ("word " * 100 + "<p>(anchor)=</p>", "raw MyST"),
    ("word " * 100 + "<details><summary>A. $x$</summary></details>", "raw TeX"),
    ("word " * 100 + "<p>$$ (eq-a)</p>", "raw MyST"),
    ("word " * 100 + "{term}`x`", "raw MyST"),
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
    (site / "other.html").write_text('<a id="there"></a>')
    sound = '<a href="other.html#there">x</a> <a href="#here" id="here"><span class="xref std">y</span></a>'
    file.write_text(PAGE.format("word " * 100 + sound), encoding="utf-8")
    assert site_page.page_faults(file)[0] == []
    file.write_text(PAGE.format(body), encoding="utf-8")
    assert any(fault in said for said in site_page.page_faults(file)[0])


@pytest.mark.parametrize(("part", "fault"), [
    ('<img alt="x" src="page.html">', "without a figure"),
    ('<div class="math">a</div>', "without an equation"),
    ('<div class="tag_film"></div>', "without a film"),
])
def test_a_chapter_shows_a_figure_an_equation_and_a_film(part, fault):
    assert site_page.chapter_faults(site_page.Page(PAGE.format(CHAPTER))) == []
    without = site_page.Page(PAGE.format(CHAPTER.replace(part, "")))
    assert site_page.chapter_faults(without) == [f"a chapter {fault}"]


@pytest.fixture
def whole(tmp_path):
    """A whole site of three pages, and the tree it was built from: tmp_path/tree, tmp_path/site."""
    name, release = "notebooks/1/01_a", check_site.addresses.RELEASE
    stem = check_site.SearchEnglish({}).stem
    index = {"docnames": ["book/glossary"], "terms": {stem(word): 0 for word in TERMS.split()}}
    anchors = "".join(f'<dt id="term-{word}">{word}</dt>' for word in TERMS.split())
    cells = [{"cell_type": "code", "source": release}, {"cell_type": "markdown", "source": "# A"}]
    made = {
        "tree/_toc.yml": f"root: book/index\nchapters:\n- file: book/glossary\n- file: {name}\n",
        "site/book/index.html": PAGE.format("word " * 100),
        "site/book/glossary.html": PAGE.format("word " * 100 + anchors),
        f"site/{name}.html": PAGE.format(CHAPTER.replace("page.html", "01_a.html")),
        "site/launch/1/01_a.ipynb": json.dumps({"cells": cells}),
        "site/searchindex.js": f"Search.setIndex({json.dumps(index)})",
    }
    made |= {f"site/{needed}": "x" for needed in check_site.NEEDED if f"site/{needed}" not in made}
    for path, text in made.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def whole_faults(folder):
    site = folder / "site"
    return check_site.site_faults(folder / "tree", site)[0] + check_site.size_faults(site)[0]


@pytest.mark.parametrize(("path", "old", "new", "fault"), [
    ("notebooks/1/01_a.html", None, None, "not in the site"),
    (".nojekyll", None, None, ".nojekyll is missing"),
    ("binder/environment.yml", None, None, "environment.yml is missing"),
    ("launch/1/01_a.ipynb", None, None, "01_a.ipynb is missing"),
    ("launch/1/01_a.ipynb", "# A", "(a)=\\n# A", "holds raw MyST: (a)="),
    ("launch/1/01_a.ipynb", "# A", "by {eq}`a`", "holds raw MyST: {eq}`"),
    ("launch/1/01_a.ipynb", "# A", ":::{note}", "holds raw MyST: :::"),
    ("launch/1/01_a.ipynb", "tags/v", "tags/w", "installing the release"),
    ("launch/1/01_a.ipynb", "# A", "a" * (3 << 20), "launch copies take 3.0 MiB"),
    ("searchindex.js", '"adjoint"', '"x"', "does not find 'adjoint'"),
    ("book/glossary.html", 'id="term-adjoint"', "", "fewer than ten"),
    ("notebooks/1/01_a.html", '<div class="tag_film"></div>', "", "without a film"),
    ("book/index.html", "word</p>", 'word <a href="glossary.html#term-x">x</a></p>', "no such anchor"),
])
def test_a_hollow_site_is_refused(whole, path, old, new, fault):
    assert whole_faults(whole) == []
    file = whole / "site" / path
    if old is None:
        file.unlink()
    else:
        text = file.read_text(encoding="utf-8").replace("word </p>", "word</p>")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
    assert [said for said in whole_faults(whole) if fault in said]


def test_a_site_that_is_too_large_is_refused(whole, monkeypatch):
    monkeypatch.setattr(check_site, "MAX_SITE", 2000)
    assert any("the site takes" in said for said in whole_faults(whole))
    largest = check_site.size_faults(whole / "site")[1]
    assert largest == sorted(largest, reverse=True)


def test_what_is_counted(whole):
    counts = check_site.site_faults(whole / "tree", whole / "site")[1]
    words, links = counts.pop("words"), counts.pop("internal links")
    assert counts == {"pages": 3, "figures": 1, "equations": 1, "films": 1, "anchors": 10, "search terms": 10}
    assert (words > 300, links) == (True, 0)


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


def test_every_room_is_in_the_index_of_the_package():
    index = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    assert [room for room in api_pages.rooms(ROOT / "medtut") if f"](api/{room}.md)" not in index] == []


@pytest.mark.parametrize(("code", "shown"), [
    ("def f(x, y=1): pass", "f(x, y=1)"),
    ("class A(B):\n    x: int = 3\n    _y: int\n    def g(self): pass", "class A(B):\n    x: int = 3"),
    (f"def {'long_' * 20}(a: dict[str, int]={{'k, l': 1}}, *, b: int=2) -> int: pass",
     f"{'long_' * 20}(\n    a: dict[str, int] = {{'k, l': 1}},\n    *,\n    b: int = 2,\n) -> int"),
])
def test_signatures(code, shown):
    assert api_pages.signature(ast.parse(code).body[0]) == shown


def test_summaries_are_one_sentence():
    node = ast.parse('def f():\n    """DDIM [song2021ddim, eq. 12] of\n    s**2. More | words."""').body[0]
    assert api_pages.summary(node) == r"DDIM of s\*\*2."


def test_every_entry_leads_to_its_lines():
    file = ROOT / "medtut" / "schedules.py"
    text = api_pages.module_section("medtut.schedules", file, ROOT)
    first, last = re.search(r"medtut/schedules\.py#L(\d+)-L(\d+)", text).groups()
    lines = file.read_text(encoding="utf-8").splitlines()[int(first) - 1 : int(last)]
    assert lines[0].startswith("def abar(")
    assert "return" in lines[-1]
    assert "| [`abar`](#api-medtut.schedules.abar) | The share of signal variance" in text


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
