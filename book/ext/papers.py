"""Sphinx extension: what `book/papers.yml` says, one row per published system.

Directives `papers-here`, `papers-finder` and `papers-coverage` show its rows; `finder.js` filters the finder.
"""

import ast
import html
import json
from functools import cache
from pathlib import Path

import addresses
import yaml
from course import in_words, stored
from docutils import nodes
from docutils.statemachine import StringList
from pybtex.database import parse_file
from sphinx.util.docutils import SphinxDirective

AXES = ("task", "modality", "organ", "framework", "mechanism", "operator")
TASKS = {
    "inpainting": "inpainting",
    "super-resolution": "super-resolution 4×",
    "gaussian-blur": "Gaussian blur",
    "motion-blur": "motion blur",
    "mri-4x-1": "MRI 4×, 1 coil",
    "mri-4x-8": "MRI 4×, 8 coils",
    "mri-8x-1": "MRI 8×, 1 coil",
    "mri-8x-8": "MRI 8×, 8 coils",
    "ct-60": "CT, 60 views",
    "ct-20": "sparse-view CT, 20 views",
    "ct-low-dose": "low-dose CT",
    "phase-retrieval": "phase retrieval",
}
REFERENCE = "total variation"  # the baseline that the leaderboard measured wherever it could


def read_yaml(srcdir, name):
    return yaml.safe_load((Path(srcdir) / "book" / name).read_text(encoding="utf-8")) or []


def as_list(value):
    return value if isinstance(value, list) else [value]


def names_of(rows):
    """The anchor of each row: `method-KEY`; a further system of the same paper adds its section's name."""
    seen = []
    for row in rows:
        name, anchor = f"method-{row['key']}", row["notebook"].partition("#")[2]
        seen.append(f"{name}-{anchor}" if name in seen else name)
    return seen


def values_of(row, axis, accepted):
    """A row's values on an axis; a method for any linear operator is found under each that it accepts."""
    found = [str(value) for value in as_list(row.get(axis, "none"))]
    return [v for value in found for v in (accepted.get(value, [value]) if axis == "operator" else [value])]


def first_figure(file, anchor):
    """The name of the first figure at or after the section with this anchor; None if there is none."""
    inside = False
    for cell in json.loads(Path(file).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            inside = inside or f"({anchor})=\n" in "".join(cell["source"])
        elif inside and (name := cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")):
            return name
    return None


@cache
def definition(file, name):
    """The syntax node of a function or class."""
    body = ast.parse(Path(file).read_text(encoding="utf-8")).body
    return next(n for n in body if getattr(n, "name", "") == name)


def code_address(root, code):
    """The lines of `module:name` on GitHub."""
    module, _, name = code.partition(":")
    file = Path(root, *module.split("."))
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    return addresses.released(file.relative_to(root).as_posix(), definition(file, name))


def measured(root, row):
    """The row's number as (what it is, value, ((baseline, value), ...)), all read from results/; or None."""
    if "number" not in row:
        return None
    said = row["number"]
    file = Path(root) / "results" / said.get("file", Path(row["result"]).name)

    def words(path):
        return f"{in_words(stored(file, path), said.get('format', ''))} {said.get('unit', '')}".strip()

    others = tuple((name, words(path)) for name, path in said.get("baseline", {}).items())
    return said["says"], words(said["value"]), others


def on_the_board(root, method):
    """[(task, PSNR, PSNR of the reference or None)] of a method of the leaderboard, 100 calls a sample."""
    board = stored(Path(root) / "results" / "leaderboard.json", ["tasks"])
    found = []
    for task, words in TASKS.items():
        rows = board[task]["methods"]["100"]
        if method in rows:
            other = rows[REFERENCE]["psnr"][0] if REFERENCE in rows and method != REFERENCE else None
            found.append((words, rows[method]["psnr"][0], other))
    return found


class Thumbnail(nodes.General, nodes.Element):
    """Stands for a small picture of a chapter's figure until all chapters are read."""


class PapersDirective(SphinxDirective):
    """Writes MyST lines and lets the parser turn them into nodes."""

    has_content = False
    optional_arguments = 1

    def run(self):
        for name in ("papers.yml", "axes.yml"):
            self.env.note_dependency(str(Path(self.env.srcdir) / "book" / name))
        return self.parse(self.lines(read_yaml(self.env.srcdir, "papers.yml")))

    def parse(self, lines):
        box = nodes.container()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), self.content_offset, box)
        return box.children

    def link_to_code(self, row, text=None):
        module, _, name = row["code"].partition(":")
        return f"[{text or f'`{module}.{name}`'}](#api-{module}.{name})"

    def chapter(self, row):
        """The page of the row's chapter, or None if this edition lacks it."""
        page = row["notebook"].partition("#")[0].removesuffix(".ipynb")
        return page if page in self.env.found_docs else None


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
    """Every system as a card, with the values of all axes for the filter script."""

    def run(self):
        root = self.env.srcdir
        self.env.note_dependency(str(Path(root) / "results" / "leaderboard.json"))
        self.env.metadata[self.env.docname]["finder"] = "here"
        self.bib = parse_file(str(Path(root) / "book" / "references.bib"))
        for name in ("papers.yml", "axes.yml", "references.bib"):
            self.env.note_dependency(str(Path(root) / "book" / name))
        rows, axes = read_yaml(root, "papers.yml"), read_yaml(root, "axes.yml")
        self.accepted = axes.pop("accepted")
        covered = {axis: {v for r in rows for v in values_of(r, axis, self.accepted)} for axis in axes}
        bare = [f"{axis}={v}" for axis, known in axes.items() for v in known if v not in covered[axis]]
        place = f'<div class="finder" data-uncovered="{html.escape("|".join(bare))}"></div>'
        out = [nodes.raw("", place, format="html")]
        for row, name in zip(rows, names_of(rows), strict=True):
            card = nodes.container(ids=[name], classes=["method"])
            card += nodes.raw("", self.mark(row), format="html")
            anchor = row["notebook"].partition("#")[2]
            page = self.chapter(row)
            figure = page and (row.get("figure") or first_figure(f"{root}/{page}.ipynb", anchor))
            if figure:
                card += Thumbnail(page=page, figure=figure, name=row["name"])
            card += self.parse(self.card(row, figure))
            out.append(card)
        return out

    def mark(self, row):
        """An empty element that carries axes and search words to the script."""
        axes = (*AXES, "targets")
        pairs = [f"{axis}={v}" for axis in axes for v in values_of(row, axis, self.accepted)]
        entry = self.bib.entries[row["key"]]
        authors = " ".join(" ".join(p.last_names) for p in entry.persons.get("author", []))
        words = html.escape(f"{row['key']} {authors} {entry.fields['title']}")
        values = html.escape("|".join(pairs))
        return f'<span class="method-axes" data-values="{values}" data-words="{words}" hidden></span>'

    def card(self, row, figure):
        root, page = self.env.srcdir, self.chapter(row)
        links = [self.link_to_code(row, "Code"), f"[Source on GitHub]({code_address(root, row['code'])})"]
        links += [f"[Figure](#{figure})"] * bool(figure)
        anchor = row["notebook"].partition("#")[2]
        links += [f"[Chapter](#{anchor})" if page else "its chapter is not in this edition"]
        said = [row.get(axis, "none") for axis in AXES[:-1]]
        tags = [", ".join(as_list(value)) for value in said if value not in ("none", "any")]
        tags += [f"operator: {row['operator']}"] if "operator" in row else []
        return [
            f"**{row['name']}** {{cite}}`{row['key']}`", "",
            f"{row['about']}.", "", *self.numbers(row), " · ".join(links), "",
            f"{row['kind']} · targets: {row['targets']} · {' · '.join(tags)}", "",
            *self.details(row),
        ]

    def numbers(self, row):
        """The row's own number, and for methods of CT the leaderboard's where the own one is of MRI."""
        number, out = measured(self.env.srcdir, row), []
        if number:
            others = "; ".join(f"{name}: {value}" for name, value in number[2])
            out += [f"**{number[1]}** {number[0]}" + f" ({others})" * bool(others), ""]
        if "CT" in as_list(row["modality"]) and "board" in row and not (number and "CT" in number[0]):
            found = [r for r in on_the_board(self.env.srcdir, row["board"]) if r[0] == TASKS["ct-20"]]
            out += [f"**{mine:.1f} dB** PSNR, {task}" + (f" ({REFERENCE}: {other:.1f} dB)" if other else "")
                    for task, mine, other in found] + [""]
        return out or ["No number of its own is stored.", ""]

    def details(self, row):
        out = [
            "<details><summary>Compared and simplified</summary>", "",
            f"*Compared with* {row['baseline']}. *What we simplified:* {row['differs']}.", "",
        ]
        if "board" in row:
            cells = [
                f"{task} **{own:.1f}**" + (f" ({other:.1f})" if other else "")
                for task, own, other in on_the_board(self.env.srcdir, row["board"])
            ]
            page = "/notebooks/3_inverse_problems/13_leaderboard.ipynb"
            out += [
                f"*On the [leaderboard]({page})*, PSNR in dB of the mean of 8 samples or of the one image, "
                f"{REFERENCE} in brackets: {' · '.join(cells)}.", "",
            ]
        return [*out, "</details>", ""]


class PapersCoverage(PapersDirective):
    """The survey's axes, value by value, and the systems that cover each."""

    def lines(self, rows):
        axes = read_yaml(self.env.srcdir, "axes.yml")
        accepted, out = axes.pop("accepted"), []
        for axis, values in axes.items():
            out += [f"| {axis} | systems |", "|---|---|"]
            for value in values:
                names = [r["name"] for r in rows if value in values_of(r, axis, accepted)]
                out.append(f"| {value} | {', '.join(names) or 'not covered'} |")
            out.append("")
        return out


def show_thumbnails(app, doctree, docname):
    """Puts the chapter's own picture, small and read late, where a thumbnail stands."""
    for mark in list(doctree.findall(Thumbnail)):
        page, name = mark["page"], nodes.make_id(mark["figure"])
        found = next((n for n in app.env.get_doctree(page).findall(nodes.figure) if name in n["ids"]), None)
        pictures = list(found.findall(nodes.image)) if found else []
        if not pictures or app.builder.format != "html":  # on paper the chapter's figure is enough
            mark.parent.remove(mark)
            continue
        address = f"{app.builder.get_relative_uri(docname, page)}#{name}"
        link = nodes.reference("", "", internal=True, refuri=address, classes=["method-figure"])
        link += nodes.image(uri=pictures[0]["uri"], candidates=pictures[0]["candidates"],
                            alt=f"Figure of {mark['name']}", loading="lazy")
        mark.replace_self(nodes.paragraph("", "", link, classes=["method-picture"]))


def add_files(app, pagename, templatename, context, doctree):
    if "finder" in app.env.metadata.get(pagename, {}):
        app.add_js_file("finder.js")
        app.add_css_file("finder.css")


def setup(app):
    app.add_node(Thumbnail)
    app.add_directive("papers-here", PapersHere)
    app.add_directive("papers-finder", PapersFinder)
    app.add_directive("papers-coverage", PapersCoverage)
    app.connect("doctree-resolved", show_thumbnails)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
