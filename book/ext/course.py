"""Sphinx extension of the course: measured times, stored results, and what `papers.yml` says.

Roles `measured` and `result` quote stored measurements, so that no number is typed into prose.
Directives `papers-here`, `papers-finder` and `papers-coverage` show the rows of `book/papers.yml`.
"""

import json
import math
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

logger = logging.getLogger(__name__)
AXES = ("task", "modality", "organ", "framework", "mechanism", "operator")


def read_rows(srcdir):
    return yaml.safe_load((Path(srcdir) / "book" / "papers.yml").read_text(encoding="utf-8")) or []


def as_list(value):
    return value if isinstance(value, list) else [value]


class Measured(SphinxRole):
    """Seconds or memory of the page's own notebook, from results/notebooks.json."""

    def run(self):
        file = Path(self.env.srcdir) / "results" / "notebooks.json"
        self.env.note_dependency(str(file))
        rows = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        row = rows.get(self.env.docname.removeprefix("notebooks/"), {})
        return [nodes.inline(text=self.words(row), classes=["measured"])], []

    def words(self, row):
        if self.text == "memory":
            return f"{row['cpu']['gib']:.1f} GiB" if "cpu" in row else "memory not measured"
        where = {"cpu": "on two CPU cores", "gpu": "on a GPU"}[self.text]
        return f"{row[self.text]['seconds']:.0f} s {where}" if self.text in row else f"not measured {where}"


class Result(SphinxRole):
    """One number of results/: `file.json / key / key`, with a format such as `/ .2f` last if it needs one."""

    def run(self):
        name, *path = self.text.split(" / ")
        spec = path.pop() if path[-1].startswith(".") else ""
        file = Path(self.env.srcdir) / "results" / name
        self.env.note_dependency(str(file))
        try:
            value = json.loads(file.read_text(encoding="utf-8"))
            for key in path:
                value = value[int(key)] if isinstance(value, list) else value[key]
            text = self.words(value, spec)
        except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
            logger.warning("result %s: %r", self.text, error, location=self.get_location())
            text = "?"
        return [nodes.inline(text=text, classes=["result"])], []

    def words(self, value, spec):
        """A number in its format; what `mt.checks.report` recorded, to the digits its tolerance allows."""
        if not isinstance(value, dict):
            return format(value, spec)
        places = max(-math.floor(math.log10(value["tol"]) + 1e-9), 0)
        return f"{value['value']:.{places}f} {value['unit']}".strip()


class PapersDirective(SphinxDirective):
    """Writes MyST lines and lets the parser turn them into nodes."""

    has_content = False
    optional_arguments = 1

    def run(self):
        self.env.note_dependency(str(Path(self.env.srcdir) / "book" / "papers.yml"))
        box = nodes.container()
        text = self.lines(read_rows(self.env.srcdir))
        self.state.nested_parse(StringList(text, self.get_source_info()[0]), self.content_offset, box)
        return box.children

    def link_to_code(self, row):
        module, _, name = row["code"].partition(":")
        return f"[`{module}.{name}`](#api-{module}.{name})"

    def link_to_notebook(self, row):
        page, _, anchor = row["notebook"].partition("#")
        if page.removesuffix(".ipynb") not in self.env.found_docs:
            return "its chapter is not in this edition"
        return f"[chapter](#{anchor})"


class PapersHere(PapersDirective):
    """The systems whose chapter is this page."""

    def lines(self, rows):
        page = f"{self.env.docname}.ipynb"
        here = [row for row in rows if row["notebook"].partition("#")[0] == page]
        out = [] if here else ["No system of the [methods page](/book/methods.md) has its place here."]
        for row in here:
            out += [
                f"**{row['name']}** {{cite}}`{row['key']}`",
                f": {self.link_to_code(row)}. What we simplified: {row['differs']}.",
                "",
            ]
        return out


class PapersFinder(PapersDirective):
    """Every system, with the values of all axes for the filter script."""

    def lines(self, rows):
        out = []
        for row in rows:
            values = ";".join(f"{axis}={v}" for axis in AXES for v in as_list(row.get(axis, "any")))
            out += [
                "::::{div} method",
                f"```{{method-axes}} {values}",
                "```",
                f"**{row['name']}** {{cite}}`{row['key']}` · {row['kind']} · targets: {row['targets']}",
                "",
                f"{self.link_to_code(row)} · {self.link_to_notebook(row)} · " + " · ".join(
                    ", ".join(as_list(row[axis])) for axis in AXES if axis in row and row[axis] != "none"
                ),
                "",
                f"*Compared with* {row['baseline']}. *What we simplified:* {row['differs']}.",
                "",
                "::::",
                "",
            ]
        return out


class PapersCoverage(PapersDirective):
    """The survey's axes, value by value, and the systems that cover each."""

    def lines(self, rows):
        axes = yaml.safe_load((Path(self.env.srcdir) / "book" / "axes.yml").read_text(encoding="utf-8"))
        out = []
        for axis, values in axes.items():
            out += [f"| {axis} | systems |", "|---|---|"]
            for value in values:
                names = [r["name"] for r in rows if value in map(str, as_list(r.get(axis, "any")))]
                out.append(f"| {value} | {', '.join(names) or 'not covered'} |")
            out.append("")
        return out


class MethodAxes(SphinxDirective):
    """An empty mark that carries a system's axes to the filter script."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        pairs = [pair.split("=", 1) for pair in self.arguments[0].split(";")]
        values = "|".join(f"{axis}={value}" for axis, value in pairs)
        html = f'<span class="method-axes" data-values="{values}"></span>'
        return [nodes.raw("", html, format="html")]


def setup(app):
    app.add_role("measured", Measured())
    app.add_role("result", Result())
    app.add_directive("papers-here", PapersHere)
    app.add_directive("papers-finder", PapersFinder)
    app.add_directive("papers-coverage", PapersCoverage)
    app.add_directive("method-axes", MethodAxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
