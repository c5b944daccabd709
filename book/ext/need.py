"""Sphinx extension: `needs` writes the page "I need to ..." from `book/need.yml`."""

from pathlib import Path
from urllib.parse import urlencode

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


def read_needs(srcdir):
    """The groups of needs."""
    return yaml.safe_load((Path(srcdir) / "book" / "need.yml").read_text(encoding="utf-8"))


def address(finder):
    """The finder's part of an address, as finder.js reads it."""
    return urlencode(finder).replace("+", "%20")


class Needs(SphinxDirective):
    """A section for each group, in it a section for each need.

    What readers would type are main entries of the index: the search puts those first.
    """

    def run(self):
        self.env.note_dependency(str(Path(self.env.srcdir) / "book" / "need.yml"))
        lines = []
        for group in read_needs(self.env.srcdir):
            lines += [f"## {group['group']}", ""]
            for need in group["needs"]:
                lines += self.lines(need)
        box = nodes.section()
        text = StringList(lines, self.get_source_info()[0])
        self.state.nested_parse(text, self.content_offset, box, match_titles=True)
        return box.children

    def lines(self, need):
        page, _, anchor = need["start"].partition("#")
        there = page.removesuffix(".ipynb") in self.env.found_docs
        start = f"[Start in the chapter](#{anchor})" if there else "Its chapter is not in this edition"
        words = ", ".join(need["words"])
        shown = ", ".join(f"{axis}: {value}" for axis, value in need["finder"].items())
        target = self.env.app.builder.get_relative_uri(self.env.docname, "book/methods")
        finder = f'<a class="need-finder" href="{target}#{address(need["finder"])}">Methods: {shown}</a>'
        return [
            f"### {need['title']}", "",
            f"```{{index}} {', '.join(f'! {word}' for word in need['words'])}", "```", "",
            need["advice"], "",
            f"{start} · {finder}", "",
            f"*Also: {words}.*", "",
        ]


def setup(app):
    app.add_directive("needs", Needs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
