"""What slides and PDF share: the article of a built page, films as single frames, a headless Chromium."""

import copy
import re
import shutil
import struct
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from check_site import addresses
from test import CHROMIUM

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
ADDRESS = f"{addresses.SITE}/"
REMOVED = "a.headerlink, script, style, .tag_remove-output, .prev-next-area, .copybtn"


def article(name: str, site: Path = SITE) -> Tag:
    """The article of the built page `name`, without what only a browser needs."""
    file = site / f"{name}.html"
    if not file.is_file():
        raise SystemExit(f"{file} does not exist; run `make book` first")
    found = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser").select_one("article.bd-article")
    for node in found.select(REMOVED):
        node.decompose()
    return found


def picture_file(image: Tag, name: str, site: Path = SITE) -> Path:
    """Where the picture of an <img> of the page `name` lies."""
    return ((site / name).parent / unquote(image["src"])).resolve()


def size(file: Path) -> tuple[int, int]:
    """Width and height of a PNG file."""
    return struct.unpack(">II", file.read_bytes()[16:24])


def film_layout(cell: Tag) -> tuple[int, int]:
    """Number of frames and of columns of a film's sprite sheet, from the cell's tags."""
    tags = " ".join(cell["class"])
    frames = int(re.search(r"tag_film-frames-(\d+)", tags)[1])
    columns = re.search(r"tag_film-columns-(\d+)", tags)
    return frames, int(columns[1]) if columns else frames


def still(
    soup: BeautifulSoup, image: Tag, layout: tuple[int, int], sheet: tuple[int, int], chosen: list[int]
) -> Tag:
    """A row of single frames, cut from the sprite sheet by style alone."""
    frames, columns = layout
    rows = -(-frames // columns)
    ratio = (sheet[0] / columns) / (sheet[1] / rows)
    row = soup.new_tag("div", attrs={"class": "frames"})
    for i in chosen:
        box = soup.new_tag("div", attrs={"class": "frame", "style": f"aspect-ratio: {ratio:.4f}"})
        picture = copy.copy(image)
        for key in ("width", "height", "style"):
            picture.attrs.pop(key, None)
        x, y = -100 * (i % columns) / columns, -100 * (i // columns) / rows
        picture["style"] = f"width: {100 * columns}%; transform: translate({x:.4f}%, {y:.4f}%)"
        picture["alt"] = f"Frame {i + 1} of {frames}. {image.get('alt', '')}"
        box.append(picture)
        row.append(box)
    return row


@contextmanager
def chromium():
    """A headless Chromium without a network; yields a sentence in its place if there is none."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        sync_playwright = None
    if path is None or sync_playwright is None:
        what = (
            "Chromium was found (install the package chromium)"
            if path is None
            else "playwright is installed (pip install playwright)"
        )
        yield f"No {what}, so no PDF was made."
        return
    with sync_playwright() as play:
        options = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files"]
        browser = play.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()
