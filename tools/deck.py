"""Cuts a built chapter into slides: key sentences, equations, figures, short code, tables, questions.

What a slide leaves out goes into its speaker notes. book/slides.yml overrides the rules, chapter by chapter.
"""

import re
from dataclasses import dataclass, field

from bs4 import Tag
from deck_text import choices, escape, inner, key_code, measured, rich, sentences, words
from teach_pages import slot

LEAD = 3.4  # so many lines of text go above a figure, a table or code; more get a slide of their own
SHORT = 45  # a key sentence shorter than that needs the sentence before it
ROOM = 9.5  # lines of text on one slide; an equation takes some too
PRINTED_LINES, PRINTED_WIDTH = 8, 90
FEW = 3  # so many printed numbers stay with the text
TABLE_ROWS = 8
LIST_ITEMS = 6
LEFT_OUT = {"Exercises", "Papers met here", "Quiz"}


@dataclass
class Slide:
    """A heading, what stands below it (HTML), and what the speaker says (HTML)."""

    title: str
    kind: str = "text"
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: float = 0.0


def clean(article: Tag) -> Tag:
    """Links become plain text, since a slide is no page to leave; labels go."""
    for link in article.select("a"):
        link.unwrap()
    for node in article.select("[id]"):
        del node["id"]
    for node in article.select("span.bibtex-citation, span.measured, span.result, span.xref, span.std"):
        node.unwrap()
    return article


class Deck:
    """The slides of one chapter."""

    def __init__(self, article: Tag, guide: dict, rules: dict | None = None):
        self.article, self.guide, self.rules = clean(article), guide, rules or {}
        self.plan = {heading: (minutes, do) for minutes, heading, do in slot(guide)}
        self.slides: list[Slide] = []
        self.title = article.h1.get_text().strip()

    def new(self, title: str, kind: str = "text") -> Slide:
        self.slides.append(Slide(title, kind))
        return self.slides[-1]

    def build(self) -> list[Slide]:
        self.opening()
        parts = list(self.article.section.find_all("section", recursive=False))
        later = set(self.rules.get("last", []))
        for wanted in (False, True):
            for part in parts:
                name = heading(part)
                if name not in LEFT_OUT | {"Limits"} and (name in later) == wanted:
                    self.section(part, name)
        self.questions()
        self.exercises()
        for part in parts:
            if heading(part) == "Limits":
                self.section(part, "Limits")
        return self.slides

    def opening(self) -> None:
        """Title, opening question, objectives."""
        first = self.new(self.title, "title")
        first.body = [f"<p class='idea'>{rich(self.guide['idea'])}</p>"]
        ask = self.new("Before we begin", "statement")
        ask.body = [f"<p>{rich(self.guide['ask'])}</p>"]
        ask.notes = [f"<p>What it is after: {rich(self.guide['reply'])}</p>"]
        box = self.article.select_one(".header-box")
        if box:
            goals = self.new("You will be able to", "list")
            goals.body = [str(box.ul)]
            goals.notes = [str(p) for p in box.find_all("p", recursive=False)[1:]]
            box.extract()
        loose = [n for n in self.article.section.find_all(recursive=False) if n.name not in ("section", "h1")]
        if any(n.name != "span" for n in loose):
            self.blocks(loose, self.title)

    def section(self, part: Tag, name: str) -> None:
        """One section and its subsections."""
        if name in self.rules.get("skip", []):
            return
        before = len(self.slides)
        children = [n for n in part.find_all(recursive=False) if n.name not in ("h2", "h3", "h4", "span")]
        self.blocks([n for n in children if n.name != "section"], name)
        if name in self.plan and len(self.slides) > before:
            minutes, do = self.plan[name]
            self.slides[before].notes.insert(0, f"<p><strong>{minutes} minutes.</strong> {rich(do)}</p>")
        for child in children:
            if child.name == "section" and not heading(child).startswith(("Exercise ", "Quiz")):
                self.section(child, heading(child))

    def blocks(self, nodes: list[Tag], name: str) -> None:
        """The flow of one section: text fills slides, everything else gets its own."""
        self.flow, self.name, self.fresh, self.coded = None, name, True, False
        for i, node in enumerate(nodes):
            if node.name == "p":
                self.paragraph(node, i + 1 < len(nodes) and "math" in nodes[i + 1].get("class", []))
            elif "math" in node.get("class", []):
                self.text(
                    str(node),
                    1.2 + 1.5 * (1 + str(node).count(r"\\")) * (0.9 if "aligned" in str(node) else 1),
                )
            elif node.name in ("ul", "ol"):
                self.bullets(node)
            elif node.select_one("table.table") is not None:
                self.table(node.select_one("table.table"))
            elif "cell" in node.get("class", []):
                self.cell(node)
            else:
                self.note(str(node))
        self.flow = None

    def text(self, html: str, lines: float) -> None:
        """Put something on the current slide, or on a new one if it is full."""
        room = ROOM / self.rules.get("split", {}).get(self.name, 1)
        if self.flow is None or self.flow.lines + lines > room:
            self.flow = self.new(self.name)
        self.flow.body.append(html)
        self.flow.lines += lines

    def alone(self, kind: str) -> Slide:
        """A new slide for what needs room; a short text before it becomes its lead."""
        before, self.flow = self.flow, None
        if before is not None and before.lines <= LEAD and before is self.slides[-1]:
            before.kind = kind
            return before
        return self.new(self.name, kind)

    def note(self, html: str) -> None:
        if self.flow is None and not (self.slides and self.slides[-1].title == self.name):
            self.flow = self.new(self.name)
        (self.flow or self.slides[-1]).notes.append(html)

    def paragraph(self, node: Tag, leads: bool) -> None:
        """Key sentences: bold ones, questions, the first of a section, the lead of an equation."""
        said, shown = sentences(inner(node)), ""
        if said[0].startswith("<strong>Not for clinical use"):  # it stands at the foot of each slide
            return self.note(str(node))
        for k, sentence in enumerate(said):
            key = "<strong>" in sentence or sentence.rstrip().endswith("?") or (self.fresh and k == 0)
            if key or (leads and k == len(said) - 1):
                if k and words(sentence) < SHORT and said[k - 1] not in shown:
                    sentence = f"{said[k - 1]} {sentence}"
                shown += sentence
                self.text(f"<p>{sentence}</p>", 0.5 + max(1, -(-words(sentence) // 72)))
        self.fresh = False
        self.note(str(node))

    def bullets(self, node: Tag) -> None:
        """A list, each item cut to its first sentences."""
        items = node.find_all("li", recursive=False)
        for start in range(0, len(items), LIST_ITEMS):
            kept = []
            for item in items[start : start + LIST_ITEMS]:
                said = sentences(inner(item.p or item))
                short = said[0] if len(said) < 2 or words(said[0]) > 60 else " ".join(said[:2])
                kept.append(f"<li>{short}</li>")
            size = sum(0.3 + max(1, -(-words(k) // 68)) for k in kept)
            self.text(f"<{node.name}>{''.join(kept)}</{node.name}>", size)
        self.note(str(node))

    def table(self, table: Tag) -> None:
        """A table of its own, in pieces if it is long."""
        head, rows = table.thead, table.tbody.find_all("tr", recursive=False)
        for start in range(0, len(rows), TABLE_ROWS):
            body = "".join(str(row) for row in rows[start : start + TABLE_ROWS])
            self.alone("table").body += [f"<table>{head or ''}<tbody>{body}</tbody></table>"]

    def cell(self, cell: Tag) -> None:
        """A figure, short code, or printed numbers."""
        tags = " ".join(cell.get("class", []))
        if "tag_stub" in tags or "tag_solution" in tags:
            return
        code = cell.select_one(".cell_input pre")
        figure = cell.select_one(".cell_output figure") or cell.select_one(".cell_output img")
        printed = "\n".join(p.get_text() for p in cell.select(".cell_output pre")).strip("\n")
        shown = key_code(code) if code and figure is None and not self.coded else ""
        if shown:  # one for each section; the others are in the chapter
            self.coded = True
            self.alone("code").body.append(f"<pre class='highlight'>{shown}</pre>")
        rows = printed.split("\n") if printed else []
        if rows and len(rows) <= PRINTED_LINES and max(map(len, rows)) < PRINTED_WIDTH:
            if len(rows) <= FEW:
                self.text(measured(printed), 1.4 * len(rows))
            else:
                self.alone("measured").body.append(measured(printed))
        elif rows:
            self.note(f"<pre>{escape(printed)}</pre>")
        if figure is not None:
            self.alone("film" if "tag_film" in tags else "figure").body.append(cell)

    def questions(self) -> None:
        """Each quiz question twice: alone, and with its key."""
        for paragraph in self.article.select("p"):
            options = []
            node = paragraph.find_next_sibling()
            while (
                node is not None and node.name == "details" and re.match(r"[A-E]\. ", node.summary.get_text())
            ):
                options.append(node)
                node = node.find_next_sibling()
            if not options or not re.match(r"\d+\. ", paragraph.get_text()):
                continue
            question = re.sub(r"^(<strong>)\d+\. ", r"\1", inner(paragraph))
            for answered in (False, True):
                slide = self.new("The answer" if answered else "A question to the room", "question")
                slide.body = [f"<p>{question}</p>", choices(options, answered)]

    def exercises(self) -> None:
        """One slide: what to do in the notebook."""
        names = [
            h.get_text().strip() for h in self.article.select("h3") if h.get_text().startswith("Exercise ")
        ]
        if names:
            slide = self.new("Your turn", "list")
            slide.body = ["<ul>", *(f"<li>{name}</li>" for name in names), "</ul>"]
            slide.notes = ["<p>Answers and common errors stand in the instructor guide.</p>"]


def heading(section: Tag) -> str:
    found = section.find(["h2", "h3", "h4"])
    return found.get_text().strip() if found else ""
