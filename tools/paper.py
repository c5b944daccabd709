"""A page of the site as a part of one document for paper: links inside it, films as frames, answers apart."""

import copy
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from deck_text import typeset
from pages import ADDRESS, SITE, article, film_layout, picture_file, size, still
from teach_pages import MARK

OPTION = re.compile(r"[A-E]\. ")
EMPTY = BeautifulSoup("", "html.parser")


def slug(name: str) -> str:
    """ "notebooks/1_foundations/02_ddpm" -> "notebooks-1_foundations-02_ddpm"."""
    return name.replace("/", "-")


def tag(name: str, text: str = "", **attributes: str) -> Tag:
    made = EMPTY.new_tag(name, attrs={key.rstrip("_"): value for key, value in attributes.items()})
    if text:
        made.string = text
    return made


def target(href: str, name: str, names: set[str]) -> str:
    """Where a link of the page `name` leads in the document, or its address on the web."""
    path, _, anchor = unquote(href).partition("#")
    if re.match(r"[a-z]+:", path):
        return href
    page = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else f"{name}.html"
    stem = page.removesuffix(".html")
    if stem not in names:
        return ADDRESS + page + (f"#{anchor}" if anchor else "")
    return f"#{slug(stem)}--{anchor}" if anchor else f"#{slug(stem)}"


def make_local(part: Tag, name: str, names: set[str], site: Path) -> None:
    """Unique ids, links into the document, pictures from the disk."""
    for node in part.select("[id]"):
        node["id"] = f"{slug(name)}--{node['id']}"
    for link in part.select("a[href]"):
        link["href"] = target(link["href"], name, names)
        link.attrs.pop("title", None)
    for image in part.select("img"):
        if not image["src"].startswith("data:"):
            image["src"] = picture_file(image, name, site).as_uri()
        image.attrs.pop("loading", None)


def films(part: Tag, name: str, site: Path) -> None:
    """Each film as its first, middle and last frame."""
    for cell in part.select(".tag_film"):
        image = cell.select_one(".cell_output img")
        if image is not None:
            frames, columns = film_layout(cell)
            chosen = sorted({0, frames // 2, frames - 1})
            sheet = size(picture_file(image, name, site))
            image.replace_with(still(EMPTY, image, (frames, columns), sheet, chosen))


def answers(part: Tag) -> Tag:
    """Takes solutions and the explanations of questions out of a page, and returns them."""
    found = tag("div", class_="answers")
    for cell in part.select("div.cell"):
        tags = " ".join(cell.get("class", []))
        if "tag_stub" in tags:
            for output in cell.select(".cell_output"):
                output.decompose()  # it says only that the stub is a stub
        elif "tag_solution" in tags:
            before = cell.find_previous("h3")
            found.append(tag("h3", before.get_text() if before else "Exercise"))
            found.append(tag("pre", MARK.sub("", cell.select_one("pre").get_text()).strip()))
            cell.decompose()
    for option in part.select("details"):
        if OPTION.match(option.summary.get_text()):
            option.summary.replace_with(BeautifulSoup(typeset(str(option.summary)), "html.parser"))
            found.append(explained(option))
            shown = tag("p", class_="option")
            shown.extend(option.summary.contents)
            option.replace_with(shown)
    for fold in part.select("details"):
        fold["open"] = ""
    return found


def explained(option: Tag) -> Tag:
    """One option of a question with its explanation: "1 A. …", for the end of the book."""
    question = option.find_previous_sibling("p")
    while "option" in question.get("class", []):
        question = question.find_previous_sibling("p")
    line = tag("p", f"{question.get_text().partition('. ')[0]} ", class_="explained")
    line.append(tag("em"))
    line.em.extend(copy.copy(option.summary).contents)
    for paragraph in option.find_all("p", recursive=False):
        line.extend([" → ", *paragraph.contents])
    return line


def page(name: str, names: set[str], site: Path = SITE) -> tuple[Tag, Tag]:
    """The page for the document, and its answers."""
    part = article(name, site)
    part.name, part["id"], part["class"] = "section", slug(name), "page"
    films(part, name, site)
    make_local(part, name, names, site)
    part["id"] = slug(name)
    return part, answers(part)
