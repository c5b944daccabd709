"""Sphinx extension of the course: measured times and stored results.

Roles `measured` and `result` quote stored measurements, so that no number is typed into prose.
"""

import json
import math
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

logger = logging.getLogger(__name__)


def stored(file, path):
    """What stands in a JSON file under a path of keys and positions."""
    value = json.loads(Path(file).read_text(encoding="utf-8"))
    for key in path:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def in_words(value, spec=""):
    """A number in its format; what `mt.checks.report` recorded, to the digits its tolerance allows."""
    if not isinstance(value, dict):
        return format(value, spec)
    places = max(-math.floor(math.log10(value["tol"]) + 1e-9), 0)
    return f"{value['value']:.{places}f} {value['unit']}".strip()


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
            text = in_words(stored(file, path), spec)
        except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
            logger.warning("result %s: %r", self.text, error, location=self.get_location())
            text = "?"
        return [nodes.inline(text=text, classes=["result"])], []


def setup(app):
    app.add_role("measured", Measured())
    app.add_role("result", Result())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
