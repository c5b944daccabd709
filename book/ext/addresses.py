"""Every address that the book gives away: repository, site, launch copies, the services that open these.

The site is deployed to the branch `gh-pages`, so a launch copy is a file of the site and a file on GitHub.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]
REPOSITORY = PROJECT["urls"]["Homepage"]
OWNER, NAME = REPOSITORY.split("/")[-2:]
SITE = f"https://{OWNER}.github.io/{NAME}"
SOURCE_BRANCH, SITE_BRANCH = "main", "gh-pages"
RELEASE = f"{REPOSITORY}/archive/refs/tags/v{VERSION}.tar.gz"
CHAPTERS = "notebooks/"


def is_chapter(docname: str) -> bool:
    return docname.startswith(CHAPTERS)


def page(docname: str, anchor: str = "") -> str:
    """A page on the site, in full."""
    return f"{SITE}/{docname}.html" + (f"#{anchor}" if anchor else "")


def launch_copy(docname: str) -> str:
    """Where a chapter's launch copy lies, from the root of the site."""
    return f"launch/{docname.removeprefix(CHAPTERS)}.ipynb"


def services(docname: str) -> dict[str, str]:
    """Name of a service to the address at which it opens a chapter's launch copy."""
    copy = launch_copy(docname)
    file = f"{OWNER}/{NAME}/blob/{SITE_BRANCH}/{copy}"
    return {
        "Colab": f"https://colab.research.google.com/github/{file}",
        "Kaggle": f"https://kaggle.com/kernels/welcome?src=https://github.com/{file}",
        "Binder": f"https://mybinder.org/v2/gh/{OWNER}/{NAME}/{SITE_BRANCH}?urlpath=lab/tree/{copy}",
    }


def source(docname: str, suffix: str) -> str:
    """What one changes to change a page, from the root of the repository; a folder for some of the API."""
    if docname.startswith("book/api/"):  # written by tools/api_pages.py from the modules
        module = f"medtut/{docname.removeprefix('book/api/')}"
        return module if (ROOT / module).is_dir() else f"{module}.py"
    if docname.startswith("book/teach/chapters/"):  # written by tools/teach_pages.py
        return "book/teach/chapters.yml"
    return docname + suffix


def edit(path: str) -> str:
    """Where GitHub lets a reader change a file, or shows a folder."""
    return f"{REPOSITORY}/{'tree' if (ROOT / path).is_dir() else 'edit'}/{SOURCE_BRANCH}/{path}"


def released(path: str, node=None) -> str:
    """A file, from the root of the repository, at the tag of this version; with a syntax node, its lines."""
    lines = ""
    if node is not None:
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        lines = f"#L{first}-L{node.end_lineno}"
    return f"{REPOSITORY}/blob/v{VERSION}/{path}{lines}"
