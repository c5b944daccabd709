"""Sphinx extension: the page that computes in the browser (`book/live.md`).

Directive `live-app PART` marks where a part of the page stands; its content is shown without scripts.
ONNX Runtime Web comes from npm (`tools/browser_packages.py`) and is copied beside our scripts.
"""

import shutil
import sys
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

import browser_packages

logger = logging.getLogger(__name__)
PAGE = "book/live"
RUNTIME = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
SCRIPTS = ("fft", "diffusion", "scan", "network", "controls", "sample", "mask", "reconstruct", "live")


def runtime_files():
    """The three files of ONNX Runtime Web, or nothing, with one sentence, if npm fails."""
    try:
        dist = browser_packages.node_modules() / "onnxruntime-web" / "dist"
    except SystemExit as error:
        logger.info("live page: %s; the site is built without it", error)
        return []
    return [dist / name for name in RUNTIME]


def find_runtime(app):
    app.env.live_runtime = runtime_files() if app.builder.format == "html" else []


def megabytes(app):
    """What the reader's browser fetches on Start, in MB, or "" if the runtime is missing."""
    files = list(app.env.live_runtime)
    if not files:
        return ""
    ours = Path(app.srcdir) / "book" / "_static" / "live"
    files += [*ours.glob("*.onnx"), *ours.glob("*.json")]
    return f"{sum(f.stat().st_size for f in files) / 1e6:.0f}"


class LiveApp(SphinxDirective):
    """A place that book/_static/live/live.js fills; the content is what stands there without scripts."""

    required_arguments = 1
    has_content = True

    def run(self):
        size = megabytes(self.env.app)
        opening = f'<div class="live" data-part="{self.arguments[0]}" data-megabytes="{size}">'
        box = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, box)
        return [nodes.raw("", opening, format="html"), *box.children, nodes.raw("", "</div>", format="html")]


def add_scripts(app, pagename, templatename, context, doctree):
    if pagename == PAGE:
        app.add_css_file("live/live.css")
        for name in SCRIPTS:
            app.add_js_file(f"live/{name}.js")


def copy_runtime(app, exception):
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "live"
        target.mkdir(parents=True, exist_ok=True)
        for file in app.env.live_runtime:
            shutil.copyfile(file, target / file.name)


def setup(app):
    app.add_directive("live-app", LiveApp)
    app.connect("builder-inited", find_runtime)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", copy_runtime)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
