"""Builds the book into _build/html, with every warning an error.

Needs jupyter-book and sphinx-mathjax-offline, and no torch:
the pages about the package are made from its source.
"""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import check_site
import launch
from api_pages import write_api_pages
from teach_pages import write_teach_pages

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
MATHJAX = "static/mathjax/tex-svg-full.js"


def copy_mathjax() -> None:
    """Puts the one MathJax file of the sphinx-mathjax-offline wheel into book/_static/mathjax/."""
    try:
        files = metadata.files("sphinx-mathjax-offline")
    except metadata.PackageNotFoundError:
        sys.exit("build_book: sphinx-mathjax-offline is not installed; run `make book`, or pip install it")
    source = next(f for f in files if str(f).replace("\\", "/").endswith(MATHJAX))
    target = ROOT / "book" / "_static" / "mathjax" / "tex-svg-full.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    content = Path(source.locate()).read_bytes()
    if not target.is_file() or target.read_bytes() != content:
        target.write_bytes(content)


def build() -> int:
    """Runs jupyter-book on every page, since a second run forgets old warnings; returns its status."""
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(ROOT), "-W", "-n", "--keep-going", "-q", "--all"]
    return subprocess.run(command, cwd=ROOT).returncode


def main() -> int:
    shutil.rmtree(SITE, ignore_errors=True)  # pages that are no longer in the book must not be published
    copy_mathjax()
    write_api_pages(ROOT)
    write_teach_pages(ROOT)
    status = build()
    if status:
        print("build_book: the build failed; each line above that says WARNING or ERROR must be mended")
        return status
    launch.main()
    status = check_site.main([str(SITE)])
    if status == 0:
        print(f"Open this file in a browser: {SITE / 'book' / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
