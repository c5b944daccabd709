"""Sphinx extension: the help text of `medtut`, from its own argument parser.

`medtut/__main__.py` is loaded as a file, so that the book needs none of the package's dependencies.
"""

import importlib.util
import os
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

WIDTH = "88"


class CommandHelp(SphinxDirective):
    """`command-help NAME` shows `medtut NAME --help`."""

    required_arguments = 1

    def run(self):
        file = Path(self.env.srcdir) / "medtut" / "__main__.py"
        self.env.note_dependency(str(file))
        spec = importlib.util.spec_from_file_location("medtut_command_line", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        commands = next(a for a in module.parser()._actions if a.dest == "command").choices
        before = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = WIDTH
        text = commands[self.arguments[0]].format_help()
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
        return [nodes.literal_block(text, text, language="text")]


def setup(app):
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
