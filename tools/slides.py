"""Slides of the chapters, from the built book: `python tools/slides.py [CHAPTER ...]`, such as 2_04_guidance.

HTML (reveal.js, no network) and PDF (headless Chromium) go to _build/slides/. Without Chromium the HTML is
still made.
"""

import argparse
import html
import shutil
import sys
import time
from pathlib import Path

import yaml
from browser_packages import node_modules
from bs4 import BeautifulSoup, Tag
from deck import Deck, Slide
from deck_text import inner, sentences
from pages import ADDRESS, ROOT, SITE, article, chromium, film_layout, picture_file, size, still
from teach_pages import chapters, short

OUT = ROOT / "_build" / "slides"
WIDTH, HEIGHT = 1160, 470  # what a picture may take of a slide
LINE = 40  # height of a line of text above a picture
LARGEST = 2.2  # a picture is enlarged at most so much
PRINT = {
    "width": "1280px",
    "height": "720px",
    "print_background": True,
    "prefer_css_page_size": True,
    "outline": True,
    "tagged": True,
}


def assets(out: Path, root: Path = ROOT) -> None:
    """What all decks share, in out/assets."""
    reveal = node_modules(root) / "reveal.js" / "dist"
    files = [
        reveal / "reveal.css",
        reveal / "reveal.js",
        reveal / "plugin" / "notes.js",
        root / "book" / "slides" / "deck.css",
        root / "book" / "slides" / "deck.js",
        root / "book" / "_static" / "film.js",
        root / "book" / "_static" / "mathjax" / "tex-svg-full.js",
    ]
    (out / "assets").mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, out / "assets" / file.name)


def picture(slide: Slide, name: str, folder: Path) -> str:
    """The figure of a slide, its picture copied beside the deck; a film also as three frames, for paper."""
    *lead, cell = slide.body
    image = cell.select_one(".cell_output img")
    file = picture_file(image, name)
    shutil.copyfile(file, folder / file.name)
    soup, sheet = BeautifulSoup("", "html.parser"), size(file)
    new = soup.new_tag("img", attrs={"src": file.name, "alt": image.get("alt", "")})
    text = cell.select_one(".caption-text") or cell.select_one("figcaption")
    caption = sentences(inner(text)) if text else []
    slide.notes.append(f"<p>{inner(text)}</p>" if text else "")
    above = f"<div class='lead'>{''.join(lead)}</div>" if lead else ""
    room = HEIGHT - LINE * slide.lines
    below = f"<p class='caption'>{' '.join(caption[:2])}</p>" if caption else ""
    if slide.kind == "film":
        return above + film(soup, new, film_layout(cell), sheet, room) + below
    scale = min(WIDTH / sheet[0], room / sheet[1], LARGEST)
    new["style"] = f"width: {scale * sheet[0]:.0f}px; height: {scale * sheet[1]:.0f}px"
    return f"{above}<div class='picture-frame'>{new}</div>{below}"


def film(
    soup: BeautifulSoup, image: Tag, layout: tuple[int, int], sheet: tuple[int, int], room: float
) -> str:
    """The slider for the screen (film.js builds it) and the row of frames for paper."""
    frames, columns = layout
    width, height = sheet[0] / columns, sheet[1] / -(-frames // columns)
    scale = min(WIDTH / width, (room - 90) / height, LARGEST)
    tags = f"tag_film tag_film-frames-{frames} tag_film-columns-{columns}"
    chosen = sorted({0, frames // 2, frames - 1})
    row = still(soup, image, layout, sheet, chosen)
    row["style"] = f"--frame-width: {min(WIDTH / len(chosen) - 14, room * width / height):.0f}px"
    return f"<div class='film-box {tags}' style='width: {scale * width:.0f}px'>{image}</div>{row}"


def section(slide: Slide, number: str, address: str, name: str, folder: Path) -> str:
    """One slide as HTML."""
    drawn = slide.kind in ("figure", "film")
    body = picture(slide, name, folder) if drawn else "".join(slide.body)
    head = (
        f"<p class='kicker'>Diffusion models in medical imaging</p><h1>{html.escape(slide.title)}</h1>"
        if slide.kind == "title"
        else f"<h2>{html.escape(slide.title)}</h2>"
    )
    source = f"<span>{address} · CC BY 4.0 · not for clinical use</span>"
    foot = f"<div class='foot'>{source}<span>{number}</span></div>"
    notes = f"<aside class='notes'>{''.join(slide.notes)}</aside>" if slide.notes else ""
    return f"<section class='{slide.kind}'>{head}<div class='body'>{body}</div>{foot}{notes}</section>"


def write_deck(key: str, row: dict, out: Path = OUT, site: Path = SITE) -> Path:
    """The deck of one chapter as out/NAME/index.html."""
    name, folder = f"notebooks/{key}", out / short(key)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rules = yaml.safe_load((ROOT / "book" / "slides.yml").read_text(encoding="utf-8")) or {}
    deck = Deck(article(name, site), row, rules.get(key))
    slides = [s for s in deck.build() if s.body]
    text = "\n".join(
        section(s, f"{n} / {len(slides)}", f"{ADDRESS}{name}.html", name, folder)
        for n, s in enumerate(slides, 1)
    )
    page = (ROOT / "book" / "slides" / "template.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(
        page.format(title=html.escape(deck.title), slides=text), encoding="utf-8"
    )
    return folder / "index.html"


def print_deck(browser, deck: Path) -> tuple[Path, list[str]]:
    """The PDF of a deck, and its slides whose content does not fit."""
    page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
    page.emulate_media(media="print")
    page.goto(f"{deck.as_uri()}?print")
    page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
    full = page.eval_on_selector_all(
        "section.overfull", "all => all.map(s => s.querySelector('h1, h2').textContent)"
    )
    target = deck.parent.parent / f"{deck.parent.name}.pdf"
    page.pdf(path=target, **PRINT)
    page.close()
    return target, full


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "only", nargs="*", help="chapters, such as 2_04_guidance; default: all", metavar="CHAPTER"
    )
    only = parser.parse_args(arguments).only
    rows = {key: row for key, row in chapters(ROOT).items() if not only or short(key) in only}
    if unknown := set(only) - set(map(short, rows)):
        parser.error(f"no chapter is called {', '.join(sorted(unknown))}")
    began, status = time.perf_counter(), 0
    assets(OUT)
    decks = [write_deck(key, row) for key, row in rows.items()]
    print(f"slides: {len(decks)} decks as HTML in {OUT}, {time.perf_counter() - began:.0f} s", flush=True)
    with chromium() as browser:
        if isinstance(browser, str):
            print(f"slides: {browser}")
            return 0
        for deck in decks:
            target, full = print_deck(browser, deck)
            status |= bool(full)
            for title in full:
                print(
                    f"slides: {target.stem}: {title!r} is overfull; split or skip it in book/slides.yml"
                )
    print(f"slides: {len(decks)} PDF files, {time.perf_counter() - began:.0f} s in all")
    return status


if __name__ == "__main__":
    sys.exit(main())
