"""Sphinx extension: the list of all exercises, read from the tags of the chapters.

The directive `exercise-list` writes one section per chapter. `progress.js` adds ticks there and in the
chapters, and keeps them in the reader's browser.
"""

import ast
import json
import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

SCRIPTS = ("learn.js", "progress.js")
ASKED = 2  # sentences of a question that the list shows
QUESTION = re.compile(r"^\*\*(\d+)\. ", re.MULTILINE)


class Exercise(NamedTuple):
    """One exercise: id, heading and its anchor, the beginning of the question, what an answer is."""

    id: str
    title: str
    anchor: str
    question: str
    needs: str


class Chapter(NamedTuple):
    """One chapter: its page without `notebooks/`, its title, its exercises, its number of quiz questions."""

    page: str
    title: str
    exercises: list[Exercise]
    questions: int


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def tagged(cell: dict, prefix: str) -> str | None:
    """What follows `prefix:` in a tag of the cell, if a tag begins so."""
    return next((tag.partition(":")[2] for tag in tags(cell) if tag.startswith(prefix + ":")), None)


def embedded(identifier: str, data) -> nodes.raw:
    """Data for a script, as JSON in the page, which works without a server."""
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return nodes.raw("", f'<script type="application/json" id="{identifier}">{text}</script>', format="html")


def slug(heading: str) -> str:
    """Anchor of a heading as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def first_sentences(text: str) -> str:
    """The beginning of an exercise's text, its links reduced to their words."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split("\n"))
    paragraph = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", paragraph)
    shown = " ".join(re.split(r"(?<=[.?!])\s+", paragraph)[:ASKED]).removesuffix(":")
    return shown if shown.endswith((".", "?", "!")) else f"{shown} …"


def awaits(node: ast.AST) -> bool:
    """Whether dots stand for an answer below this node."""
    return any(isinstance(n, ast.Constant) and n.value is Ellipsis for n in ast.walk(node))


def needs(stub: str, solution: str) -> str:
    """What the dots of a stub stand for: lines of a function, counted in the solution, or a value."""
    solved = {n.name: n for n in ast.parse(solution).body if isinstance(n, ast.FunctionDef)}
    given, parts = {line.strip() for line in stub.splitlines()} | {""}, []
    for node in (n for n in ast.parse(stub).body if awaits(n)):
        if isinstance(node, ast.FunctionDef):
            body = solution.splitlines()[solved[node.name].lineno : solved[node.name].end_lineno]
            own = [line for line in body if line.strip() not in given and not line.strip().startswith("#")]
            lines = "one line" if len(own) == 1 else f"{len(own)} lines"
            parts.append(f"{lines} in `{node.name}({ast.unparse(node.args)})`")
        else:
            comment = stub.splitlines()[node.lineno - 1].partition("#")[2].strip().replace("your ", "a ")
            parts.append(f"{comment or 'a value'}, `{ast.unparse(node.targets[0])}`")
    return " and ".join(parts)


def read_chapter(file: Path) -> Chapter:
    """Title, exercises and quiz questions of a stored notebook."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    solutions = {tagged(cell, "solution"): source for cell, source in zip(cells, sources, strict=True)}
    exercises = []
    for number, cell in enumerate(cells):
        identifier = tagged(cell, "stub")
        if identifier:
            heading, _, rest = sources[number - 1].rpartition("### ")[2].partition("\n")
            exercises.append(Exercise(identifier, heading.strip(), slug(heading),
                                      first_sentences(rest.partition("<details>")[0]),
                                      needs(sources[number], solutions[identifier])))
    quizzes = [source for cell, source in zip(cells, sources, strict=True) if "quiz" in tags(cell)]
    title = re.search(r"^# (.+)$", sources[0], re.MULTILINE)[1]
    page = f"{file.parent.name}/{file.stem}"
    return Chapter(page, title, exercises, sum(len(QUESTION.findall(quiz)) for quiz in quizzes))


def read_chapters(root: Path) -> list[Chapter]:
    """All chapters in the order of _toc.yml."""
    names = re.findall(r"file: (notebooks/\S+)", (root / "_toc.yml").read_text(encoding="utf-8"))
    return [read_chapter(root / f"{name.removesuffix('.ipynb')}.ipynb") for name in names]


class ExerciseList(SphinxDirective):
    """All exercises, one section per chapter."""

    def run(self):
        chapters = read_chapters(Path(self.env.srcdir))
        for chapter in chapters:
            self.env.note_dependency(str(Path(self.env.srcdir) / "notebooks" / f"{chapter.page}.ipynb"))
        facts = [{"page": c.page, "section": f"exercises-{slug(c.page.replace('/', '-'))}",
                  "exercises": [e.id for e in c.exercises], "questions": c.questions} for c in chapters]
        sections = [self.section(c, fact["section"]) for c, fact in zip(chapters, facts, strict=True)]
        return [embedded("progress-data", facts), *sections]

    def section(self, chapter: Chapter, anchor: str) -> nodes.section:
        part, _, name = chapter.page.partition("/")
        number = f"{part.partition('_')[0]}/{name.partition('_')[0]}"
        section = nodes.section(ids=[anchor], names=[anchor])
        section += nodes.title(text=f"{number} {chapter.title}")
        section += nodes.raw("", '<div class="exercise-bar"></div>', format="html")
        for exercise in chapter.exercises:
            row = nodes.container(ids=[f"list-{exercise.id}"], classes=["exercise-row"])
            lines = [f"**[{exercise.title}](/notebooks/{chapter.page}.ipynb#{exercise.anchor})** "
                     f"{exercise.question}", "", f"*Your answer:* {exercise.needs}."]
            self.state.nested_parse(StringList(lines, self.get_source_info()[0]), self.content_offset, row)
            section += row
        return section


def add_scripts(app, pagename, templatename, context, doctree):
    if pagename == "book/exercises" or pagename.startswith("notebooks/"):
        for name in SCRIPTS:
            app.add_js_file(name)
        app.add_css_file("learn.css")


def setup(app):
    app.add_directive("exercise-list", ExerciseList)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
