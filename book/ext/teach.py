"""Sphinx extension: what the pages for teachers compute from stored measurements.

Directive `teach-chapters` lists the chapters with their cost, `hub-needs N` shows the memory and the
processors that N learners need, `room-sizes` what a prepared stick holds. No number is typed.
"""

import json
import math
from pathlib import Path

import yaml
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

SHARED_CORES = 4  # learners for each core, when not all press a key in the same second


def cpu_rows(srcdir) -> dict[str, dict]:
    """Chapter to its seconds and GiB on two CPU cores."""
    rows = json.loads((Path(srcdir) / "results" / "notebooks.json").read_text(encoding="utf-8"))
    return {key: row["cpu"] for key, row in rows.items() if "cpu" in row}


def needs(rows: dict[str, dict], hub: dict) -> dict[str, float]:
    """Memory of one learner in GiB, and the chapters that decide it."""
    largest = max(rows, key=lambda key: rows[key]["gib"])
    peak, mean = rows[largest]["gib"], sum(r["gib"] for r in rows.values()) / len(rows)
    limit = math.ceil((peak * hub["margin"] + hub["server_gib"]) * 2) / 2
    guarantee = math.ceil((mean + hub["server_gib"]) * 2) / 2
    slowest = max(rows, key=lambda key: rows[key]["seconds"])
    return {
        "largest": largest,
        "peak": peak,
        "mean": mean,
        "limit": limit,
        "guarantee": guarantee,
        "slowest": slowest,
        "seconds": rows[slowest]["seconds"],
    }


class Lines(SphinxDirective):
    """Writes MyST lines and lets the parser turn them into nodes."""

    def run(self):
        from docutils import nodes

        box = nodes.container()
        self.state.nested_parse(StringList(self.lines(), self.get_source_info()[0]), self.content_offset, box)
        return box.children

    def read(self, name: str):
        file = Path(self.env.srcdir) / name
        self.env.note_dependency(str(file))
        text = file.read_text(encoding="utf-8")
        return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)


class TeachChapters(Lines):
    """The chapters of this edition: guide, time to run, memory."""

    def lines(self):
        rows = self.read("results/notebooks.json")
        out = ["| chapter | | runs in | memory |", "|---|---|---|---|"]
        for page in sorted(p for p in self.env.found_docs if p.startswith("book/teach/chapters/")):
            label = page.rpartition("/")[2]
            keys = [k for k in rows if label == f"{k.split('_')[0]}_{k.partition('/')[2]}"]
            for key in keys:
                cpu = rows[key]["cpu"]
                cost = f"{cpu['seconds']:.0f} s | {cpu['gib']:.1f} GiB"
                out.append(f"| [](/notebooks/{key}.ipynb) | [its guide](/{page}.md) | {cost} |")
        return out


class HubNeeds(Lines):
    """The arithmetic for a number of learners."""

    required_arguments = 1

    def lines(self):
        hub, learners = self.read("deploy/measured.json"), int(self.arguments[0])
        self.read("results/notebooks.json")
        n = needs(cpu_rows(self.env.srcdir), hub)
        cores = math.ceil(learners / SHARED_CORES)
        together = learners * n["seconds"] * 2 / cores
        return [
            f"- **Memory limit of one learner.** The largest chapter, `{n['largest']}`, "
            f"peaks at {n['peak']:.2f} GiB. "
            f"Times a margin of {hub['margin']}, plus {hub['server_gib']:.2f} GiB for the Jupyter server: "
            f"{n['peak']:.2f} × {hub['margin']} + {hub['server_gib']:.2f} = "
            f"{n['peak'] * hub['margin'] + hub['server_gib']:.2f} GiB, rounded up to **{n['limit']:g} GiB**.",
            f"- **Memory guarantee of one learner.** The mean over the chapters is {n['mean']:.2f} GiB; "
            f"with the server {n['mean'] + hub['server_gib']:.2f} GiB, "
            f"rounded up to **{n['guarantee']:g} GiB**.",
            f"- **Memory for {learners} learners.** Guaranteed: {learners} × {n['guarantee']:g} = "
            f"**{learners * n['guarantee']:g} GiB**. If all reach their limit at once: "
            f"{learners} × {n['limit']:g} = {learners * n['limit']:g} GiB.",
            f"- **Processors for {learners} learners.** The slowest chapter, `{n['slowest']}`, takes "
            f"{n['seconds']:.0f} s on two cores, so at most {2 * n['seconds']:.0f} core-seconds. "
            f"With one core for each {SHARED_CORES} learners, {cores} cores, "
            f"and if all run the whole chapter in the same second: "
            f"{learners} × {2 * n['seconds']:.0f} / {cores} = **{together:.0f} s**. "
            f"Learners read between cells, so they rarely do.",
        ]


class RoomSizes(Lines):
    """What a prepared stick holds, in MiB."""

    def lines(self):
        rows = self.read("book/teach/room.json")
        out = ["| part of the stick | MiB |", "|---|---|"]
        out += [f"| {name} | {bytes_ / 2**20:.0f} |" for name, bytes_ in rows["parts"].items()]
        disk = f"Installed, the packages take {rows['installed'] / 2**20:.0f} MiB of disk."
        return [
            *out,
            f"| **all** | **{sum(rows['parts'].values()) / 2**20:.0f}** |",
            "",
            f"Measured for {rows['for']}. {disk}",
        ]


def style(app, pagename, templatename, context, doctree):
    if pagename.startswith("book/teach/"):
        app.add_css_file("teach.css")


def setup(app):
    app.connect("html-page-context", style)
    app.add_directive("teach-chapters", TeachChapters)
    app.add_directive("hub-needs", HubNeeds)
    app.add_directive("room-sizes", RoomSizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
