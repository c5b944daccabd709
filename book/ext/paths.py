"""Sphinx extension of the ways in: timed paths, links that may be left out, and numbers of the course.

`path-table NAME` shows a path of `book/paths.yml`, `path-overview` all of them. A slot whose chapters are all
absent from the book is left out, and times add up to the slots that remain. Roles: `maybe` is a link if its
page is in the book and plain text otherwise; `count` is a number counted in the repository. `if-page` shows
its content only if a page is in the book.
"""

import json
import math
import re
from pathlib import Path
from typing import NamedTuple

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole, SphinxDirective, SphinxRole

logger = logging.getLogger(__name__)
WORDS_PER_MINUTE = 150  # a careful reader of a technical text
CELL, EQUATION, EXERCISE = 1, 2, 8  # minutes for one
ESTIMATE = (
    f"The hours are an estimate from the pages: {WORDS_PER_MINUTE} words a minute, {CELL} minute for a cell "
    f"of code, {EQUATION} for a displayed equation, {EXERCISE} for an exercise, and the measured run, "
    "rounded up to half an hour."
)
EQUATIONS = re.compile(r"\$\$.*?\$\$|^`{3,}\{math\}.*?^`{3,}", flags=re.S | re.M)
NOT_PROSE = re.compile(r"^```.*?^```|\$[^$]*\$|\{[\w:-]+\}`[^`]*`|<[^>]+>", flags=re.S | re.M)


def split(entry):
    """'1_foundations/02_ddpm#ddpm' -> (page, anchor); a name that begins with a digit is a chapter."""
    page, _, anchor = entry.partition("#")
    return (f"notebooks/{page}" if page[0].isdigit() else page), anchor


def present(slots, found):
    """The slots that the book can hold: without absent pages, and without slots that need an absent one."""
    left = []
    for slot in slots:
        pages = slot.get("pages", [])
        here = [entry for entry in pages if split(entry)[0] in found]
        if here or not pages:
            left.append({**slot, "pages": here})
    return left


def clock(minutes):
    """Minutes after midnight, or after the start, as h:mm."""
    return f"{minutes // 60}:{minutes % 60:02d}"


class Cost(NamedTuple):
    """What a page asks of who reads it; seconds are measured on two CPU cores."""

    words: int
    equations: int
    cells: int = 0
    exercises: int = 0
    seconds: float = 0.0


def cost(root, page):
    """The Cost of a page or a chapter."""
    file = root / f"{page}.ipynb"
    if not file.is_file():
        return Cost(*lengths((root / f"{page}.md").read_text(encoding="utf-8")))
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    prose = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    stubs = sum(t.startswith("stub:") for c in cells for t in c["metadata"].get("tags", []))
    measured = json.loads((root / "results" / "notebooks.json").read_text(encoding="utf-8"))
    seconds = measured.get(page.removeprefix("notebooks/"), {}).get("cpu", {}).get("seconds", 0.0)
    code = sum(c["cell_type"] == "code" for c in cells) - 2 * stubs  # stub and solution are exercise
    return Cost(*lengths(prose), code, stubs, seconds)


def lengths(prose):
    """(words, displayed equations) of a text in Markdown."""
    return len(NOT_PROSE.sub(" ", EQUATIONS.sub(" ", prose)).split()), len(EQUATIONS.findall(prose))


def study_minutes(root, page):
    """An estimate of the time for a page alone."""
    c = cost(root, page)
    return (c.words / WORDS_PER_MINUTE + c.equations * EQUATION + c.cells * CELL + c.exercises * EXERCISE
            + c.seconds / 60)


def chapters(slots):
    """The chapters of the slots, each once."""
    pages = [split(entry)[0] for slot in slots for entry in slot["pages"]]
    return [page for page in dict.fromkeys(pages) if page.startswith("notebooks/")]


def timed(root, path, found):
    """The slots that are present, each with its minutes; where none are planned, the estimate."""
    slots = present(path["slots"], found)
    for slot in slots:
        if "minutes" not in slot:
            pages = dict.fromkeys(split(entry)[0] for entry in slot["pages"])
            hours = sum(study_minutes(root, page) for page in pages) / 60
            slot["minutes"] = max(math.ceil(2 * hours), 1) * 30
    return slots


def words_of(minutes):
    """A duration in words."""
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))


def link(entry):
    page, anchor = split(entry)
    return f"{{ref}}`{anchor}`" if anchor else f"{{doc}}`/{page}`"


def read_paths(srcdir):
    return yaml.safe_load((Path(srcdir) / "book" / "paths.yml").read_text(encoding="utf-8"))


class PathDirective(SphinxDirective):
    """Writes MyST lines and lets the parser turn them into nodes."""

    optional_arguments = 1

    def run(self):
        root = Path(self.env.srcdir)
        for name in ("book/paths.yml", "results/notebooks.json"):
            self.env.note_dependency(str(root / name))
        box = nodes.container(classes=["path"])
        text = self.lines(root, read_paths(root))
        self.state.nested_parse(StringList(text, self.get_source_info()[0]), self.content_offset, box)
        return [box]


class PathTable(PathDirective):
    """The slots of one path with their times, and the total."""

    required_arguments, optional_arguments = 1, 0

    def lines(self, root, paths):
        path = paths[self.arguments[0]]
        slots, out, now, told = timed(root, path, self.env.found_docs), [], 0, set()
        for slot in slots:
            if "at" in slot:
                now = 60 * int(slot["at"].split(":")[0]) + int(slot["at"].split(":")[1])
            when = slot.get("label") or f"{clock(now)}–{clock(now + slot['minutes'])}"
            now += slot["minutes"]
            new = [page for page in chapters([slot]) if page not in told]
            told.update(new)
            out += self.slot(slot, when, sum(cost(root, page).seconds for page in new))
        ran = sum(cost(root, page).seconds for page in chapters(slots))
        total = words_of(sum(slot["minutes"] for slot in slots))
        out += [f"**Together: {total}**, of which the notebooks compute {ran:.0f} s (measured on two CPU "
                "cores, every cell once)."]
        return out + ["", ESTIMATE] * any("label" in slot for slot in slots)

    def slot(self, slot, when, ran):
        estimated = "about " if "label" in slot else ""
        out = [":::{div} path-slot", f"**{when}**", "", f"**{slot['title']}** · {estimated}"
               f"{words_of(slot['minutes'])}", ""]
        links = ", ".join(link(entry) for entry in slot["pages"])
        if links:
            out += [links + (f" (notebooks: {ran:.0f} s to run whole)" if ran else ""), ""]
        for key, words in (("do", ""), ("stumbles", "*Where it sticks:* "), ("skip", "*Running late?* ")):
            out += [words + slot[key], ""] if key in slot else []
        return [*out, ":::", ""]


class PathOverview(PathDirective):
    """Each path with its total time, its chapters and their measured seconds."""

    def lines(self, root, paths):
        out = ["| path | for | together | chapters | they compute |", "|---|---|---|---|---|"]
        for name, path in paths.items():
            slots = timed(root, path, self.env.found_docs)
            total, pages = sum(slot["minutes"] for slot in slots), chapters(slots)
            ran = sum(cost(root, page).seconds for page in pages)
            out.append(f"| [{path['title']}](/book/paths/{name}.md) | {path['for']} | {words_of(total)} | "
                       f"{len(pages)} | {ran:.0f} s |")
        return out


class IfPage(SphinxDirective):
    """`if-page /book/live`: its content if that page is in the book, and nothing otherwise."""

    required_arguments = 1
    has_content = True

    def run(self):
        if self.arguments[0].strip("/") not in self.env.found_docs:
            return []
        box = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, box)
        return box.children


class Maybe(ReferenceRole):
    """`maybe`: 'text </book/page#anchor>' is a link if the page is in the book, and plain text otherwise."""

    def run(self):
        page, _, anchor = self.target.partition("#")
        text = nodes.inline(text=self.title)
        if page.strip("/") not in self.env.found_docs:
            return [text], []
        options = {"reftype": "ref", "reftarget": anchor} if anchor else {"reftype": "doc", "reftarget": page}
        found = addnodes.pending_xref("", text, refdomain="std", refexplicit=True, refwarn=True,
                                      refdoc=self.env.docname, **options)
        return [found], []


def count(root, what, found):
    """A number of the course, counted in its files."""
    pages = [root / f"{name}.ipynb" for name in found if name.startswith("notebooks/")]
    tags = [tag for page in pages for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]
            for tag in cell["metadata"].get("tags", [])]
    tests = [file.read_text(encoding="utf-8") for file in (root / "tests").rglob("*.py")]
    return {
        "chapters": lambda: len(pages),
        "exercises": lambda: sum(tag.startswith("stub:") for tag in tags),
        "quizzes": lambda: tags.count("quiz"),
        "films": lambda: tags.count("film"),
        "systems": lambda: len(yaml.safe_load((root / "book" / "papers.yml").read_text(encoding="utf-8"))),
        "tests": lambda: sum(len(re.findall(r"^\s*def test_", text, flags=re.M)) for text in tests),
    }[what]()


class Count(SphinxRole):
    """`count`: chapters, exercises, quizzes, films, systems or tests (test functions)."""

    def run(self):
        try:
            number = str(count(Path(self.env.srcdir), self.text, self.env.found_docs))
        except (KeyError, OSError, ValueError) as error:
            logger.warning("count %s: %r", self.text, error, location=self.get_location())
            number = "?"
        return [nodes.inline(text=number, classes=["count"])], []


def setup(app):
    app.add_css_file("paths.css")
    app.add_directive("path-table", PathTable)
    app.add_directive("path-overview", PathOverview)
    app.add_directive("if-page", IfPage)
    app.add_role("maybe", Maybe())
    app.add_role("count", Count())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
