"""Sphinx extension: `converter` puts the converter of noise levels on a page; converter.js fills it."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PLAIN = "The converter needs JavaScript. Without it, use the formulas of the dictionary above."


class Converter(SphinxDirective):
    """An empty place that says what to do without a script."""

    def run(self):
        self.env.metadata[self.env.docname]["converter"] = "here"
        return [nodes.raw("", f'<div class="converter"><p>{PLAIN}</p></div>', format="html")]


def add_files(app, pagename, templatename, context, doctree):
    if "converter" in app.env.metadata.get(pagename, {}):
        app.add_js_file("converter.js")
        app.add_css_file("converter.css")


def setup(app):
    app.add_directive("converter", Converter)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
