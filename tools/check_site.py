"""Refuses an empty or a broken site: counts pages, words and figures, and looks for what failed.

Usage: python tools/check_site.py [FOLDER]   (default: _build/html). Needs nothing but Python and PyYAML.
"""

import argparse
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
LEAST_WORDS = 60
REMAINS = {
    "a traceback": re.compile(r"Traceback \(most recent call last\)"),
    "an unresolved reference": re.compile(r'class="[^"]*\b(?:problematic|system-message)\b'),
    "raw MyST": re.compile(r"\{(?:cite|term|numref|eq|ref|measured|result|doc)(?::t)?\}`"),
    "a missing measurement": re.compile(r"not measured on two CPU cores"),
}


class Page(HTMLParser):
    """What a reader sees of a page: words, images and their alt text, scripts and links."""

    def __init__(self, text: str):
        super().__init__()
        self.words, self.images, self.no_alt, self.local, self.loads = 0, 0, [], [], []
        self.depth, self.silent, self.in_article = 0, 0, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "style"):
            self.silent += 1
        if tag == "article":
            self.in_article = True
        if tag == "img" and self.in_article:
            self.images += 1
            if not (attrs.get("alt") or "").strip():
                self.no_alt.append(attrs.get("src", "?"))
        address = attrs.get("src") or attrs.get("href") or ""
        if tag in ("img", "script") or (tag == "link" and attrs.get("rel") == "stylesheet"):
            self.loads.append(address)
        if tag in ("a", "img", "script", "link") and address:
            self.local.append(address)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.silent -= 1
        if tag == "article":
            self.in_article = False

    def handle_data(self, data):
        if self.in_article and not self.silent:
            self.words += len(data.split())


def toc_files(root: Path) -> list[str]:
    """Every page that _toc.yml names, with globs resolved, without suffix."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    names = [toc["root"]]

    def walk(entry):
        if isinstance(entry, list):
            for item in entry:
                walk(item)
        elif isinstance(entry, dict):
            if "file" in entry:
                names.append(entry["file"])
            if "glob" in entry:
                found = root.glob(entry["glob"])
                names.extend(str(f.relative_to(root).with_suffix("")).replace("\\", "/") for f in found)
            for value in entry.values():
                walk(value)

    walk(toc)
    return [re.sub(r"\.(md|ipynb)$", "", name) for name in names]


def page_faults(file: Path, site: Path) -> tuple[list[str], Page]:
    """Faults of one page in words, and the parsed page."""
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    article = text[text.find("<article") : text.rfind("</article>")]
    shown = re.sub(r"<pre.*?</pre>|<code.*?</code>", "", article, flags=re.S)
    faults = [f"holds {what}" for what, mark in REMAINS.items() if mark.search(shown)]
    if "Traceback (most recent call last)" in article:
        faults.append("holds a traceback")
    faults += [f"has an image without alt text: {src}" for src in page.no_alt]
    faults += [f"loads {src} from elsewhere" for src in page.loads if re.match(r"(https?:)?//", src)]
    for address in page.local:
        path = address.split("#")[0].split("?")[0]
        if path and not re.match(r"[a-z]+:|//", path) and not (file.parent / path).resolve().exists():
            faults.append(f"links to {path}, which does not exist")
    if page.words < LEAST_WORDS:
        faults.append(f"has {page.words} words, fewer than {LEAST_WORDS}")
    return sorted(set(faults)), page


def stored_faults(root: Path, names: list[str]) -> list[str]:
    """Errors stored in the notebooks that the site shows."""
    faults = []
    for name in names:
        file = root / f"{name}.ipynb"
        if not file.is_file():
            continue
        for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
            if any(o["output_type"] == "error" for o in cell.get("outputs", [])):
                faults.append(f"{name}.ipynb: a stored output is an error")
            if cell["cell_type"] == "code" and cell["source"] and cell.get("execution_count") is None:
                faults.append(f"{name}.ipynb: a code cell was never run")
    return sorted(set(faults))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "_build" / "html")
    site = parser.parse_args(arguments).site.resolve()
    names = toc_files(ROOT)
    faults, words, images = stored_faults(ROOT, names), 0, 0
    for name in names:
        file = site / f"{name}.html"
        if not file.is_file():
            faults.append(f"{name}: in _toc.yml but not in the site")
            continue
        found, page = page_faults(file, site)
        words, images = words + page.words, images + page.images
        faults += [f"{name}: {fault}" for fault in found]
        if name.startswith("notebooks/") and not page.images:
            faults.append(f"{name}: a chapter without a figure")
    for needed in ("index.html", "search.html", "searchindex.js", "_static/mathjax/tex-svg-full.js"):
        if not (site / needed).is_file():
            faults.append(f"{needed} is missing")
    print(f"check_site: {len(names)} pages, {words} words, {images} images, {len(faults)} faults in {site}")
    for fault in faults:
        print(f"  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
