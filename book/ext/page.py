"""Sphinx extension: what stands on every page: where to run it, when it was verified, where to edit it."""

import datetime
import json
import posixpath
from html import escape
from pathlib import Path

import addresses

VERIFIED = Path("results") / "verified.json"


def run_row(docname):
    """Links that open a chapter's launch copy, and one that downloads it."""
    copy = posixpath.relpath(addresses.launch_copy(docname), posixpath.dirname(docname))
    links = [f'<a href="{escape(url)}">{name}</a>' for name, url in addresses.services(docname).items()]
    links.append(f'<a href="{copy}" download>Download</a>')
    items = "".join(f"<li>{link}</li>" for link in links)
    return f'<nav class="run-row" aria-label="Run this chapter"><p>Run it</p><ul>{items}</ul></nav>'


def day(iso):
    date = datetime.date.fromisoformat(iso)
    return f"{date.day} {date:%B %Y}"


def status_line(root, docname):
    """When all tests last passed, with what, and how long this chapter takes; empty if nobody recorded it."""
    if not (root / VERIFIED).is_file():
        return ""
    record = json.loads((root / VERIFIED).read_text(encoding="utf-8"))
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    rows = json.loads((root / "results" / "notebooks.json").read_text(encoding="utf-8"))
    cost = rows.get(docname.removeprefix(addresses.CHAPTERS), {}).get("cpu")
    seconds = f" · {cost['seconds']:.0f} s on two CPU cores" if cost else ""
    return f'<p class="verified">Last verified: {day(record["date"])} · {escape(versions)}{seconds}</p>'


def edit_link(docname, suffix):
    url = addresses.edit(addresses.source(docname, suffix))
    return f'<p class="edit-page"><a href="{escape(url)}">Edit this page on GitHub</a></p>'


def add(app, docname, template, context, doctree):
    """Put the row and the status line below a chapter's title, and the edit link below every page."""
    if doctree is None:
        return
    body = context["body"]
    if addresses.is_chapter(docname):
        below_title = run_row(docname) + status_line(Path(app.srcdir), docname)
        body = body.replace("</h1>", f"</h1>\n{below_title}", 1)
    context["body"] = f"{body}\n{edit_link(docname, Path(app.env.doc2path(docname)).suffix)}\n"


def keep_numbers(app, exception):
    """Beside the site, for tools/launch.py: numbers of equations and figures, and where labels are."""
    if exception is not None or app.builder.name != "html":
        return
    numbers = {
        "labels": app.env.domaindata["std"]["anonlabels"],
        "equations": {name: place[0] for name, place in app.env.domaindata["math"]["objects"].items()},
        "numbers": app.env.toc_fignumbers,
        "pages": sorted(app.env.found_docs),
    }
    (Path(app.outdir).parent / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")


def setup(app):
    app.add_css_file("page.css")
    app.add_js_file("page.js")
    app.connect("html-page-context", add)
    app.connect("build-finished", keep_numbers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
