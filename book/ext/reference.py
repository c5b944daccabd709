"""Sphinx extension: how to cite the course and its chapters, made from CITATION.cff."""

import json
from pathlib import Path

import addresses
import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def citation(root):
    """CITATION.cff as a dictionary."""
    return yaml.safe_load((Path(root) / "CITATION.cff").read_text(encoding="utf-8"))


def heading(file):
    """The first heading of a page or notebook, without markup."""
    text = Path(file).read_text(encoding="utf-8")
    if Path(file).suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return next(line[2:].strip() for line in text.splitlines() if line.startswith("# "))


def names(about, braces=False):
    """The authors of CITATION.cff; BibTeX keeps a group's name whole inside braces."""
    shape = "{{{}}}" if braces else "{}"
    people = about["authors"]
    return " and ".join(
        shape.format(who["name"]) if "name" in who else f"{who['given-names']} {who['family-names']}"
        for who in people
    )


def in_text(about, chapter=None, address=addresses.SITE):
    """One line for a list of references."""
    part = f"{chapter}. In: " if chapter else ""
    title = about["title"].partition(": a course")[0]
    return f"{names(about)}. {part}{title}. Version {about['version']}. {address}"


def bibtex(about, key="medtut", chapter=None, address=addresses.SITE):
    """A BibTeX entry of the course, or of one of its chapters."""
    title = about["title"].partition(": a course")[0]
    fields = {"author": names(about, braces=True), "title": chapter or title}
    if chapter:
        fields["booktitle"] = title
    fields |= {"version": about["version"], "url": address}
    rows = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@{'incollection' if chapter else 'misc'}{{{key},\n{rows}\n}}"


class HowToCite(SphinxDirective):
    """`how-to-cite` quotes the course; with a page as argument, one of its chapters."""

    optional_arguments = 1

    def run(self):
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / "CITATION.cff"))
        about, more = citation(root), {}
        if self.arguments:
            file = root / self.arguments[0]
            self.env.note_dependency(str(file))
            page = file.relative_to(root).with_suffix("").as_posix()
            more = {"chapter": heading(file), "address": addresses.page(page)}
        text = in_text(about, **more)
        entry = bibtex(about, f"medtut-{file.stem[3:]}" if more else "medtut", **more)
        line = nodes.paragraph(text, text, classes=["how-to-cite"])
        return [line, nodes.literal_block(entry, entry, language="text")]


def setup(app):
    app.add_directive("how-to-cite", HowToCite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
