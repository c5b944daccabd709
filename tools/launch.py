"""Writes the launch copies into the built site: chapters as Colab, Kaggle, Binder and JupyterLab show them.

A copy holds plain Markdown and clean cells. Its outputs are left out: who opens it runs it, and the page, to
which its first lines lead, shows them all. Called by tools/build_book.py; needs the build and no torch.
"""

import json
import re
from pathlib import Path

import nbformat
import yaml
from check_site import toc_files
from launch_markdown import Plain, addresses, built
from nbformat.v4 import new_code_cell, new_markdown_cell
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
INSTALL = """\
# Run this cell first. Where the course's package is missing (Colab, Kaggle), it installs release {version}.
import importlib.util
import subprocess
import sys
from importlib.metadata import version

if importlib.util.find_spec("medtut") is None:
    # pip keeps what already meets medtut's wide ranges, and adds what is missing (MONAI, nilearn, ...).
    # The kernel may have loaded the packages below, so they are pinned to what is here: pip then takes
    # versions of the others that go with them, moves none of them, and no restart is needed.
    loaded = [name for name in ("torch", "numpy", "pandas") if importlib.util.find_spec(name)]
    kept = [f"{{name}}=={{version(name)}}" for name in loaded]
    wanted = "medtut @ {release}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    done = subprocess.run([*pip, wanted, *kept], capture_output=True, text=True)
    if done.returncode:
        why = done.stderr.strip().rpartition("\\n")[2]
        sys.exit(f"medtut {version} could not be installed ({{why}}); is this notebook online?")
    importlib.invalidate_caches()"""
BINDER = """\
# Binder builds this branch. conda-forge's CPU build of torch comes first: pip would take the CUDA build.
name: {name}
channels:
  - conda-forge
dependencies:
  - {python}
  - pip
  - pytorch-cpu {torch}
  - pip:
      - {name} @ {release}
"""


def caption(cell, plain: Plain):
    """A Markdown cell with a figure's number and caption, for which plain notebooks have no place."""
    figure = cell.metadata.get("mystnb", {}).get("figure", {})
    if "caption" not in figure:
        return None
    number = plain.role("numref", figure["name"]) if "name" in figure else "Figure"
    return new_markdown_cell(f"**{number}.** {plain.convert(figure['caption'])}")


def clean_code(cell):
    """The cell without outputs; a solution is folded by JupyterLab, Colab and Kaggle alike."""
    tags = list(cell.metadata.get("tags", []))
    made = new_code_cell(cell.source, metadata={"tags": tags} if tags else {})
    if "hide-cell" in tags:
        made.source = f"# @title Solution\n{cell.source}"
        made.metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form", "_kg_hide-input": True}
    return made


def convert(notebook, plain: Plain):
    """A new notebook: the installing cell, then the chapter in plain Markdown with clean cells."""
    cells = [new_code_cell(INSTALL.format(version=addresses.VERSION, release=addresses.RELEASE))]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cells.append(new_markdown_cell(plain.convert(cell.source)))
            continue
        cells.append(clean_code(cell))
        if below := caption(cell, plain):
            cells.append(below)
    said = f"*A copy to run. [The chapter's page]({addresses.page(plain.docname)}) shows all outputs.*"
    cells[1].source = re.sub(r"^(# .*)$", rf"\1\n\n{said}", cells[1].source, count=1, flags=re.MULTILINE)
    made = nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"  # nbformat draws them at random, and a build should be repeatable
    return made


def binder_environment(root: Path) -> str:
    """What Binder installs, from the ranges of pyproject.toml and the Python of environment.yml."""
    needs = {r.name: str(r.specifier) for r in map(Requirement, addresses.PROJECT["dependencies"])}
    python = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"][0]
    return BINDER.format(name=addresses.NAME, python=python, torch=needs["torch"], release=addresses.RELEASE)


def write(root: Path, site: Path, chapters: list[str]) -> int:
    """Writes every copy, and what Binder and GitHub need beside them; returns the bytes of the copies."""
    book, total = built(root), 0
    for docname in chapters:
        notebook = nbformat.read(root / f"{docname}.ipynb", as_version=4)
        prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        made = convert(notebook, Plain(book, docname, prose))
        nbformat.validate(made)
        file = site / addresses.launch_copy(docname)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        total += file.stat().st_size
    (site / "binder").mkdir(exist_ok=True)
    (site / "binder" / "environment.yml").write_text(binder_environment(root), encoding="utf-8")
    (site / ".nojekyll").touch()  # GitHub would leave out every folder that begins with an underscore
    return total


def main() -> None:
    chapters = [name for name in toc_files(ROOT) if addresses.is_chapter(name)]
    total = write(ROOT, ROOT / "_build" / "html", chapters)
    print(f"launch: {len(chapters)} copies, {total / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
