"""Refuses an empty or a broken site: counts what a reader should find, and looks for what failed.

Usage: python tools/check_site.py [FOLDER]   (default: _build/html). Needs what builds the book, and no torch.
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

import yaml
from site_page import RAW_MYST, Page, chapter_faults, page_faults, read
from sphinx.search.en import SearchEnglish

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "ext"))
import addresses

ROOT = addresses.ROOT
MAX_SITE, MAX_COPIES = 60 << 20, 3 << 20  # bytes
LIVE = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm", "brain-64.onnx")
NEEDED = ("index.html", "search.html", "searchindex.js", "_static/mathjax/tex-svg-full.js", ".nojekyll",
          "binder/environment.yml", *(f"_static/live/{name}" for name in LIVE))
GLOSSARY = "book/glossary"


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


def copy_faults(site: Path, chapters: list[str]) -> list[str]:
    """Launch copies that are missing, hold what plain notebooks do not show, or are large."""
    faults, size = [], 0
    for name in chapters:
        path = addresses.launch_copy(name)
        if not (site / path).is_file():
            faults.append(f"{path} is missing")
            continue
        size += (site / path).stat().st_size
        cells = json.loads((site / path).read_text(encoding="utf-8"))["cells"]
        prose = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        if raw := re.search(RAW_MYST, prose, re.MULTILINE):
            faults.append(f"{path} holds raw MyST: {raw[0].strip()}")
        if not cells or addresses.RELEASE not in "".join(cells[0]["source"]):
            faults.append(f"{path} does not begin by installing the release")
    if size > MAX_COPIES:
        faults.append(f"the launch copies take {size / 2**20:.1f} MiB, more than {MAX_COPIES >> 20}")
    return faults


def search_faults(site: Path) -> tuple[list[str], int]:
    """Ten words of the glossary that the search must lead there with; and the number of terms it knows."""
    if not (site / "searchindex.js").is_file() or not (site / f"{GLOSSARY}.html").is_file():
        return [], 0  # their absence is said elsewhere
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    terms = {a.removeprefix("term-").lower() for a in read(site / f"{GLOSSARY}.html").anchors
             if re.fullmatch(r"term-[A-Za-z]{4,}", a)}
    if len(terms) < 10:
        return [f"the glossary has {len(terms)} terms of one word, fewer than ten"], len(index["terms"])
    words = sorted(terms)[:: len(terms) // 10][:10]
    stem, faults = SearchEnglish({}).stem, []
    for word in words:
        pages = index["terms"].get(stem(word), [])
        names = [index["docnames"][i] for i in ([pages] if isinstance(pages, int) else pages)]
        if GLOSSARY not in names:
            faults.append(f"the search does not find {word!r} in the glossary")
    return faults, len(index["terms"])


def size_faults(site: Path) -> tuple[list[str], list[tuple[int, str]]]:
    """Whether the site is too large to carry, and its files by size, the largest first."""
    files = [(p.stat().st_size, p.relative_to(site).as_posix()) for p in site.rglob("*") if p.is_file()]
    total = sum(size for size, _ in files)
    too_large = f"the site takes {total / 2**20:.1f} MiB, more than {MAX_SITE >> 20}"
    return [too_large] if total > MAX_SITE else [], sorted(files, reverse=True)


def site_faults(root: Path, site: Path) -> tuple[list[str], Counter]:
    """Every fault of a site in words, and what was counted."""
    names, pages, counts = toc_files(root), {}, Counter()
    faults = stored_faults(root, names)
    for name in names:
        file = site / f"{name}.html"
        if not file.is_file():
            faults.append(f"{name}: in _toc.yml but not in the site")
            continue
        found, page = page_faults(file, pages)
        if addresses.is_chapter(name):
            found += chapter_faults(page)
        faults += [f"{name}: {fault}" for fault in found]
        counts.update(count(page))
    faults += [f"{needed} is missing" for needed in NEEDED if not (site / needed).is_file()]
    faults += copy_faults(site, [name for name in names if addresses.is_chapter(name)])
    unfound, counts["search terms"] = search_faults(site)
    return faults + unfound, counts


def count(page: Page) -> dict[str, int]:
    return {"pages": 1, "words": page.words, "figures": page.images, "films": page.films,
            "equations": page.equations, "internal links": page.inside, "anchors": len(page.anchors)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "_build" / "html")
    site = parser.parse_args(arguments).site.resolve()
    faults, counts = site_faults(ROOT, site)
    too_large, files = size_faults(site)
    faults += too_large
    print("check_site: " + ", ".join(f"{number:,} {what}" for what, number in counts.items()))
    print(f"check_site: {sum(s for s, _ in files) / 2**20:.1f} MiB; largest: "
          + ", ".join(f"{name} {size / 2**20:.1f}" for size, name in files[:5]))
    print(f"check_site: {len(faults)} faults in {site}")
    for fault in faults:
        print(f"  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
