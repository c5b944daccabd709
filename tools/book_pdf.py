"""The book as one PDF, printed by Chromium from the built site: _build/pdf/medtut.pdf. No LaTeX is needed.

`python tools/book_pdf.py [PAGE ...]` prints only the pages named, such as book/notation.
"""

import argparse
import html
import re
import sys
import time
import tomllib
from pathlib import Path

import yaml
from check_site import toc_files
from pages import ADDRESS, ROOT, SITE, chromium
from paper import page, slug, tag

OUT = ROOT / "_build" / "pdf"
NOT_ON_PAPER = re.compile(r"book/(api/|teach/chapters/)")
COLUMN = 658  # pixels: A4 without its margins, see book/pdf/print.css
FIT = """() => {
  const width = document.querySelector("main").clientWidth;
  const said = [];
  for (const box of document.querySelectorAll("table, div.math, pre")) {
    let scale = 1;
    const drawn = [...box.querySelectorAll("svg")];
    const room = width - parseFloat(getComputedStyle(box).paddingRight);
    const wide = () => box.scrollWidth > width + 1 || drawn.some(s => s.clientWidth > room + 1);
    const size = parseFloat(getComputedStyle(box).fontSize);
    while (wide() && scale > 0.45) { scale -= 0.05; box.style.fontSize = size * scale + "px"; }
    if (wide()) said.push(box.textContent.slice(0, 60));
  }
  return said;
}"""


def parts(root: Path) -> list[tuple[str, list[str]]]:
    """Captions of _toc.yml with the pages below each, in order, without what stays on the site."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    order = [n for n in toc_files(root) if not NOT_ON_PAPER.match(n)]
    found = [("", [toc["root"]])]
    for part in toc["parts"]:
        text = str(part)
        found.append((part["caption"], [n for n in order if f"'{n}'" in text]))
    return found


def contents(chosen: list[tuple[str, list[str]]], titles: dict[str, str]) -> str:
    """The table of contents; page numbers come with the second printing."""
    out = ["<nav id='contents'><h1>Contents</h1>"]
    for caption, names in chosen:
        out.append(f"<h2>{html.escape(caption)}</h2>" if caption else "")
        out += [
            f"<p><a href='#{slug(n)}'><span>{titles[n]}</span><i></i><b data-page='{slug(n)}'></b></a></p>"
            for n in names
        ]
    return (
        "".join(out) + "<p><a href='#answers'><span>Answers and solutions</span><i></i>"
        "<b data-page='answers'></b></a></p></nav>"
    )


def document(root: Path, chosen: list[tuple[str, list[str]]], site: Path = SITE) -> str:
    """The whole book as one HTML document."""
    names = [name for _, group in chosen for name in group]
    sections, keys, titles, heads = [], [], {}, []
    for number, name in enumerate(names):
        part, answers = page(name, set(names), site)
        titles[name] = html.escape(part.h1.get_text().strip())
        part["style"] = f"page: p{number}"
        text = part.h1.get_text().strip().replace('"', "'")
        heads.append(f'@page p{number} {{ @top-right {{ content: "{text}"; }} }}')
        sections.append(str(part))
        if answers.contents:
            answers.insert(0, tag("h2", part.h1.get_text().strip()))
            keys.append(str(answers))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    template = (root / "book" / "pdf" / "template.html").read_text(encoding="utf-8")
    return template.format(
        version=project["version"],
        address=ADDRESS,
        heads="\n".join(heads),
        contents=contents(chosen, titles),
        style=(root / "book" / "pdf" / "print.css").read_text(encoding="utf-8"),
        pages="\n".join(sections),
        mathjax=(root / "book" / "_static" / "mathjax" / "tex-svg-full.js").as_uri(),
        answers="\n".join(keys),
    )


def numbers(file: Path) -> dict[str, int]:
    """Anchor to its page in a printed file."""
    from pypdf import PdfReader

    reader = PdfReader(file)
    found = reader.named_destinations
    return {name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in found.items()}


def print_book(browser, source: Path, target: Path) -> list[str]:
    """Prints twice, the second time with page numbers in the contents; returns what is too wide."""
    tab = browser.new_page(viewport={"width": COLUMN, "height": 1000}, color_scheme="light")
    tab.emulate_media(media="print")
    tab.set_default_timeout(600_000)
    tab.goto(source.as_uri())
    tab.evaluate("async () => { await window.MathJax.startup.promise; }")
    wide = tab.evaluate(FIT)
    options = {
        "path": target,
        "print_background": True,
        "prefer_css_page_size": True,
        "outline": True,
        "tagged": True,
    }
    tab.pdf(**options)
    tab.evaluate(
        """places => {
      for (const cell of document.querySelectorAll("[data-page]"))
        cell.textContent = places[cell.dataset.page] ?? "";
    }""",
        numbers(target),
    )
    tab.pdf(**options)
    tab.close()
    return wide


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", metavar="PAGE")
    parser.add_argument("--out", type=Path, default=OUT / "medtut.pdf")
    args = parser.parse_args(arguments)
    chosen = [(c, [n for n in names if not args.only or n in args.only]) for c, names in parts(ROOT)]
    chosen = [(caption, names) for caption, names in chosen if names]
    if unknown := set(args.only) - {n for _, names in chosen for n in names}:
        parser.error(f"no page is called {', '.join(sorted(unknown))}")
    began = time.perf_counter()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    source = args.out.with_suffix(".html")
    source.write_text(document(ROOT, chosen), encoding="utf-8")
    with chromium() as browser:
        if isinstance(browser, str):
            print(f"book_pdf: {browser}")
            return 1
        wide = print_book(browser, source, args.out)
    for text in wide:
        print(f"book_pdf: wider than the page: {text!r}")
    size = args.out.stat().st_size / 2**20
    print(f"book_pdf: {args.out}, {size:.1f} MiB, {time.perf_counter() - began:.0f} s")
    return 1 if wide else 0


if __name__ == "__main__":
    sys.exit(main())
