"""Sphinx extension: the misconceptions of book/misconceptions.yml, the cells that refute them, and the quiz.

`misconceptions` writes one section for each; `quiz-data` puts the questions into a page for the scripts. In a
chapter, a code cell that is tagged `refutes:ID` gets an anchor and a line that names the belief.
"""

import html
import json
import re
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from exercises import embedded, tagged
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

SCRIPTS = {
    "book/quiz": ("learn.js", "stats.js", "quiz.js"),
    "book/quiz_class": ("learn.js", "stats.js", "quiz_class.js"),
}
LETTERS = "ABCDEF"


def read_rows(root: Path) -> list[dict]:
    return yaml.safe_load((root / "book" / "misconceptions.yml").read_text(encoding="utf-8"))


def refuting_cells(root: Path) -> dict[str, tuple[str, str, str]]:
    """Misconception id -> (chapter's path without suffix, its title, heading of the section of its cell)."""
    found = {}
    names = re.findall(r"file: (notebooks/\S+)", (root / "_toc.yml").read_text(encoding="utf-8"))
    for name in names:
        heading, title = "", ""
        for cell in json.loads((root / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                headings = re.findall(r"^#+ (.+)$", source, re.MULTILINE)
                title, heading = title or headings[0], (headings or [heading])[-1]
            elif tagged(cell, "refutes"):
                found[tagged(cell, "refutes")] = name, title, heading
    return found


class Misconceptions(SphinxDirective):
    """One section for each misconception: why it is believed, what is true, the cell, the question."""

    def run(self):
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / "book" / "misconceptions.yml"))
        cells = refuting_cells(root)
        return [self.section(number, row, cells[row["id"]]) for number, row in enumerate(read_rows(root), 1)]

    def section(self, number: int, row: dict, cell: tuple[str, str, str]) -> nodes.section:
        page, title, heading = cell
        self.env.note_dependency(str(Path(self.env.srcdir) / f"{page}.ipynb"))
        section = nodes.section(names=[f"misconception-{row['id']}"], classes=["misconception"])
        section += nodes.title(text=f"{number}. “{row['claim'].rstrip('.')}”")
        self.state.document.note_explicit_target(section, section)
        quiz = row["quiz"]
        lines = [
            f"*Why one believes it.* {row['why']}", "",
            f"*What is true.* {row['truth']}", "",
            f"**The cell that refutes it**: [{title}, section “{heading}”](#refutes-{row['id']}).", "",
            f"**Question.** {quiz['case']}", "",
        ]
        for k, (text, feedback) in enumerate(quiz["options"]):
            verdict = "Right. " if k == quiz["right"] else ""
            lines += ["<details>", f"<summary>{LETTERS[k]}. {html.escape(text)}</summary>", "",
                      f"{verdict}{feedback}", "", "</details>", ""]
        source = self.get_source_info()[0]
        self.state.nested_parse(StringList(lines, source), self.content_offset, section)
        return section


class QuizData(SphinxDirective):
    """The questions with their answers, for quiz.js and quiz_class.js."""

    def run(self):
        rows = read_rows(Path(self.env.srcdir))
        self.env.note_dependency(str(Path(self.env.srcdir) / "book" / "misconceptions.yml"))
        facts = [{"id": row["id"], "claim": row["claim"], **row["quiz"]} for row in rows]
        return [embedded("quiz-data", facts)]


class Refutations(SphinxTransform):
    """An anchor on each tagged cell, and a line above it that names the belief."""

    default_priority = 700

    def apply(self):
        for cell in list(self.document.findall(nodes.container)):
            tag = next((name for name in cell["classes"] if name.startswith("tag_refutes:")), None)
            if tag is None:
                continue
            identifier = tag.partition(":")[2]
            claims = {row["id"]: row["claim"] for row in read_rows(Path(self.env.srcdir))}
            cell["names"].append(f"refutes-{identifier}")
            self.document.note_explicit_target(cell, cell)
            link = addnodes.pending_xref(
                "", nodes.inline(text=claims[identifier].rstrip(".")), refdomain="std", reftype="ref",
                reftarget=f"misconception-{identifier}", refexplicit=True, refdoc=self.env.docname,
                refwarn=True,
            )
            note = nodes.paragraph("", "The next cell refutes a common belief: “", classes=["refutes"])
            note += [link, nodes.Text("”.")]
            cell.parent.insert(cell.parent.index(cell), note)


def add_scripts(app, pagename, templatename, context, doctree):
    for name in SCRIPTS.get(pagename, ()):
        app.add_js_file(name)
    if pagename in SCRIPTS or pagename == "book/misconceptions":
        app.add_css_file("learn.css")


def setup(app):
    app.add_directive("misconceptions", Misconceptions)
    app.add_directive("quiz-data", QuizData)
    app.add_transform(Refutations)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
