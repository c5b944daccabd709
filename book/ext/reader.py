"""Sphinx extension: the reader study's key in its page, and intervals that the build computes.

`reader-study` embeds book/reader_study.json. The role `wilson` turns `15 / 20` into its 95 % interval.
"""

import json
import math
from pathlib import Path

from docutils import nodes
from exercises import embedded
from sphinx.util.docutils import SphinxDirective, SphinxRole

PAGE = "book/reader_study"
SCRIPTS = ("learn.js", "stats.js", "reader.js")
Z = 1.959963984540054


def wilson(k: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion."""
    share, shrink = k / n, 1 + Z**2 / n
    half = Z / shrink * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    middle = (share + Z**2 / (2 * n)) / shrink
    return middle - half, middle + half


class Wilson(SphinxRole):
    """`k / n` as "0.53 to 0.89"; with `/ width` as the width of that interval."""

    def run(self):
        k, n, *width = (part.strip() for part in self.text.split("/"))
        low, high = wilson(float(k), int(n))
        text = f"{high - low:.2f}" if width else f"{low:.2f} to {high:.2f}"
        return [nodes.inline(text=text, classes=["result"])], []


class ReaderStudy(SphinxDirective):
    """The key of the study, for reader.js."""

    def run(self):
        file = Path(self.env.srcdir) / "book" / "reader_study.json"
        self.env.note_dependency(str(file))
        return [embedded("reader-data", json.loads(file.read_text(encoding="utf-8")))]


def add_scripts(app, pagename, templatename, context, doctree):
    if pagename == PAGE:
        for name in SCRIPTS:
            app.add_js_file(name)
        app.add_css_file("learn.css")


def setup(app):
    app.add_role("wilson", Wilson())
    app.add_directive("reader-study", ReaderStudy)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
