"""Launch copies and what stands on every page, on made-up inputs; the built ones: test_site_launch.py."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "ext")]
import addresses  # noqa: E402
import launch  # noqa: E402
import launch_markdown  # noqa: E402
import page  # noqa: E402
import test as runner  # noqa: E402

HERE, THERE = "notebooks/1_part/02_here", "notebooks/1_part/01_there"
SITE = addresses.SITE


@pytest.fixture
def chapter(tmp_path):
    """One chapter of two, with an equation in each, a figure and a measured number."""
    (tmp_path / "book").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "r.json").write_text('{"a": 1.25}')
    costs = '{"1_part/02_here": {"cpu": {"seconds": 12.3, "gib": 1}}}'
    (tmp_path / "results" / "notebooks.json").write_text(costs)
    row = {"key": "ho2022cfg", "name": "CFG", "code": "medtut.denoisers:guided", "differs": "a weight",
           "notebook": f"{HERE}.ipynb#x"}
    (tmp_path / "book" / "papers.yml").write_text(json.dumps([row]))
    labels = {"api-medtut.denoisers.guided": ("book/api/denoisers", "guided"), "below": (HERE, "below"),
              "far": (THERE, "far"), "fig-a": (HERE, "fig-a")}
    known = {"labels": labels, "equations": {"eq-a": HERE, "eq-b": THERE}, "pages": [HERE],
             "numbers": {HERE: {"displaymath": {"equation-eq-a": [7]}, "figure": {"fig-a": [3]}},
                         THERE: {"displaymath": {"equation-eq-b": [2]}}}}
    (tmp_path / "book" / "references.bib").write_bytes((ROOT / "book" / "references.bib").read_bytes())
    book = launch_markdown.Book(tmp_path, known)
    return lambda prose: launch_markdown.Plain(book, HERE, prose)


@pytest.fixture
def plain(chapter):
    return lambda text: chapter(text).convert(text)


@pytest.mark.parametrize(("myst", "said"), [
    ("{cite}`ho2022cfg`", "([Ho and Salimans, 2022](https://arxiv.org/abs/2207.12598))"),
    ("{cite:t}`kynkaanniemi2024interval`", "[Kynkäänniemi et al. (2024)](https://arxiv.org/abs/2404.07724)"),
    ("by {eq}`eq-a` and {eq}`eq-b`", f"by (7) and [(2)]({SITE}/{THERE}.html#equation-eq-b)"),
    ("see {numref}`fig-a`", "see Fig. 3"),
    ("an **{term}`adjoint`**, {term}`tokens <token>`", "an **adjoint**, tokens"),
    ("{measured}`cpu`, {result}`r.json / a / .1f`", "12 s on two CPU cores, 1.2"),
    ("{math}`x^2`", "$x^2$"),
    ("`{cite}` is a role, ``{eq}`x` `` too", "`{cite}` is a role, ``{eq}`x` `` too"),
    ("$\\{a\\}$ and $[x](y)$", "$\\{a\\}$ and $[x](y)$"),
    ("$$\na = b\n$$ (eq-a)\nand", "$$\na = b\n\\tag{7}\n$$\n\nand"),
    ("```{math}\n:label: eq-a\na = b\n```", "$$\na = b\n\\tag{7}\n$$"),
    ("$$ a $$", "$$\na\n$$"),
    ("```python\nx = 1  # {cite}`x`\n```", "```python\nx = 1  # {cite}`x`\n```"),
    ("(gone)=\n## T", "## T"),
    ("(below)=\n## T\n[x](#below)", '<a id="below" name="below"></a>\n\n## T\n[x](#below)'),
    ("[x](far)", f"[x]({SITE}/{THERE}.html#far)"),
    ("[y](01_there.ipynb)", f"[y]({SITE}/{THERE}.html)"),
    ("[n](../../book/notation.md#x)", f"[n]({SITE}/book/notation.html#x)"),
    ("[`g`](api-medtut.denoisers.guided)", f"[`g`]({SITE}/book/api/denoisers.html#guided)"),
    ("[w](https://example.org/a)", "[w](https://example.org/a)"),
    (":::{admonition} Look\n:class: note\nA\n\n$$\nb\n$$ (eq-a)\n:::",
     "> **Look**\n>\n> A\n>\n> $$\n> b\n> \\tag{7}\n> $$"),
    ("- a\n\n  ```{note}\n  b\n  ```\n- c", "- a\n\n  > **Note**\n  >\n  > b\n\n- c"),
    ("<details>\n<summary>Hint</summary>\n\n{eq}`eq-a`\n\n</details>",
     "<details>\n<summary>Hint</summary>\n\n(7)\n\n</details>"),
    ("| a |\n|---|\n| {eq}`eq-a` |", "| a |\n|---|\n| (7) |"),
])
def test_myst_becomes_plain(plain, myst, said):
    assert plain(myst) == said


def test_papers_become_a_list(plain):
    assert plain(":::{papers-here}\n:::") == (
        "- **CFG** ([Ho and Salimans, 2022](https://arxiv.org/abs/2207.12598))  \n"
        f"  [`medtut.denoisers.guided`]({SITE}/book/api/denoisers.html#guided). "
        "What we simplified: a weight.")


@pytest.mark.parametrize("text", ["{doc}`x`", ":::{tab-set}\nx\n:::", "[x](#nowhere)"])
def test_what_has_no_plain_form_stops_the_build(plain, text):
    with pytest.raises(LookupError):
        plain(text)


def test_a_copy_is_clean_and_keeps_tags_and_captions(chapter):
    cell = nbformat.v4.new_code_cell
    figure = {"caption": "As {eq}`eq-a` says.", "name": "fig-a"}
    shown = cell("plot()", metadata={"mystnb": {"figure": figure}, "tags": ["film"]}, execution_count=3,
                 outputs=[nbformat.v4.new_output("stream", text="said")])
    solution = cell("f = 1", metadata={"tags": ["solution:a", "hide-cell"]})
    prose = nbformat.v4.new_markdown_cell("# T\n\nText.")
    notebook = nbformat.v4.new_notebook(cells=[prose, shown, solution])
    made = launch.convert(notebook, chapter("# T"))
    nbformat.validate(made)
    first, title, copy, caption, folded = made.cells
    assert addresses.RELEASE in first.source
    assert f"{SITE}/{HERE}.html" in title.source
    assert (copy.outputs, copy.execution_count, copy.metadata.tags) == ([], None, ["film"])
    assert caption.source == "**Fig. 3.** As (7) says."
    assert folded.metadata.tags == ["solution:a", "hide-cell"]
    assert folded.metadata["jupyter"]["source_hidden"]
    assert folded.source.endswith("f = 1")


def install():
    """Run the installing cell."""
    exec(launch.INSTALL.format(version=addresses.VERSION, release=addresses.RELEASE), {})


def test_where_the_package_is_there_nothing_is_installed(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("something was installed"))
    install()


@pytest.fixture
def commands(monkeypatch):
    """medtut cannot be imported; commands are noted, and end with commands.status."""
    noted, find = SimpleNamespace(said=[], status=0), importlib.util.find_spec

    def run(command, **_):
        noted.said.append(command)
        return SimpleNamespace(returncode=noted.status, stderr="beware\nERROR: no way\n")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "medtut" else find(name))
    monkeypatch.setattr(subprocess, "run", run)
    return noted


def test_the_release_is_installed_and_torch_stays(commands):
    import numpy
    import pandas
    import torch

    install()
    (command,) = commands.said
    assert command[:3] == [sys.executable, "-m", "pip"]
    assert command[-3:] == [f"{p.__name__}=={p.__version__}" for p in (torch, numpy, pandas)]
    assert f"medtut @ {addresses.REPOSITORY}/archive/refs/tags/v{addresses.VERSION}.tar.gz" in command


def test_a_failed_installation_says_one_sentence(commands):
    commands.status = 1
    with pytest.raises(SystemExit, match=r"could not be installed \(ERROR: no way\)"):
        install()


def test_binder_installs_the_same_release():
    environment = yaml.safe_load(launch.binder_environment(ROOT))
    assert environment["dependencies"][-1]["pip"] == [f"{addresses.NAME} @ {addresses.RELEASE}"]
    assert "pytorch-cpu >=2.8" in environment["dependencies"]


def passed():
    return [(name, 0, "412 passed in 9 s" if name == "notebooks" else "ok", 2.0) for name in runner.steps()]


def test_only_a_whole_run_without_a_failure_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(runner.budget, "ROOT", tmp_path)
    (tmp_path / "results").mkdir()
    failed = [*passed()[:-1], ("site", 1, "1 failed", 2.0)]
    assert not runner.record(failed)
    assert not runner.record(passed()[1:])
    assert list((tmp_path / "results").iterdir()) == []
    assert runner.record(passed())
    said = json.loads((tmp_path / "results" / "verified.json").read_text())
    assert (said["cells"], said["seconds"]) == (412, 10)
    assert list(said["versions"]) == ["Python", "torch", "MONAI", "diffusers"]


def test_the_status_line_says_what_was_recorded(tmp_path):
    (tmp_path / "results").mkdir()
    assert page.status_line(tmp_path, HERE) == ""
    record = {"date": "2026-03-07", "versions": {"Python": "3.11.9", "torch": "2.13.0"}}
    (tmp_path / "results" / "verified.json").write_text(json.dumps(record))
    (tmp_path / "results" / "notebooks.json").write_text('{"1_part/02_here": {"cpu": {"seconds": 12.3}}}')
    said = page.status_line(tmp_path, HERE)
    assert "Last verified: 7 March 2026 · Python 3.11.9, torch 2.13.0 · 12 s on two CPU cores" in said


def test_the_record_has_the_versions_of_the_lock():
    """A record may be missing; one that is there must be of this lock."""
    file = ROOT / "results" / "verified.json"
    if not file.is_file():
        assert page.status_line(ROOT, HERE) == ""
        return
    record = json.loads(file.read_text(encoding="utf-8"))
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = dict(line.split("==") for line in lines if "==" in line)
    python = record["versions"].pop("Python")
    assert SpecifierSet(addresses.PROJECT["requires-python"]).contains(python)
    assert record["versions"] == {name: locked[name.lower()] for name in ("torch", "MONAI", "diffusers")}
    assert record["cells"] > 0


def test_only_a_sound_site_is_deployed():
    """The site is checked before it is kept; only the last job may write, and it writes one branch."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8"))
    build, deploy = workflow["jobs"]["build"], workflow["jobs"]["deploy"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in build
    assert deploy["permissions"] == {"contents": "write"}
    assert deploy["needs"] == "build"
    order = [step.get("run") or step["uses"] for step in build["steps"]]
    check = next(i for i, step in enumerate(order) if "tools/check_site.py" in step)
    assert check < next(i for i, step in enumerate(order) if "upload-artifact" in step)
    (push,) = [step["run"] for step in deploy["steps"] if "git push" in step.get("run", "")]
    assert f"git init -q -b {addresses.SITE_BRANCH}\n" in push
    assert "commit" in push
    assert "fetch" not in push
