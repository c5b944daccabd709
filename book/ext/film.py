"""Sphinx extension: shows a chapter's film on another page, from the chapter's stored output."""

import base64
import json
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective


def films(notebook):
    """(tags, alt text, PNG bytes) of each cell that is tagged `film`."""
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        outputs = [o.get("data", {}) for o in cell.get("outputs", [])]
        pictures = [data["image/png"] for data in outputs if "image/png" in data]
        if "film" in tags and pictures:
            alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
            yield tags, alt, base64.b64decode("".join(pictures[0]))


class CourseFilm(SphinxDirective):
    """`course-film notebooks/….ipynb`: the first film of a chapter; `:which: 1` takes the second.

    With `:autoplay:` it starts by itself, unless the reader asked for reduced motion; `:large:` enlarges it.
    """

    required_arguments = 1
    option_spec: ClassVar = {
        "which": directives.nonnegative_int, "autoplay": directives.flag, "large": directives.flag,
    }
    has_content = True

    def run(self):
        file = Path(self.env.srcdir) / self.arguments[0]
        self.env.note_dependency(str(file))
        found = list(films(json.loads(file.read_text(encoding="utf-8")))) if file.is_file() else []
        which = self.options.get("which", 0)
        if which >= len(found):
            return []
        tags, alt, picture = found[which]
        target = Path(self.env.srcdir) / "_build" / "films" / f"{file.stem}-{which}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture)
        classes = ["cell_output", *(f"tag_{tag}" for tag in tags)]
        classes += [f"film-{name}" for name in ("autoplay", "large") if name in self.options]
        box = nodes.container(classes=classes)
        figure = nodes.figure()
        figure += nodes.image(uri=f"/{target.relative_to(self.env.srcdir).as_posix()}", alt=alt)
        if self.content:
            caption = nodes.caption()
            parsed = nodes.paragraph()
            self.state.nested_parse(self.content, self.content_offset, parsed)
            caption += parsed.children[0].children if parsed.children else []
            figure += caption
        box += figure
        return [box]


def setup(app):
    app.add_directive("course-film", CourseFilm)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
