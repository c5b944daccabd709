"""`medtut papers NAME`: where the course treats a published system."""

import difflib
from pathlib import Path

import yaml

from ..errors import BadInput

TABLE = Path(__file__).parents[2] / "book" / "papers.yml"
SHOWN = (
    "task",
    "modality",
    "mechanism",
    "targets",
    "code",
    "notebook",
    "weights",
    "baseline",
    "result",
    "differs",
)


def plain(text: str) -> str:
    """Lower case letters and digits only, so that 'pi-GDM' and 'PiGDM' meet."""
    return "".join(c for c in str(text).lower() if c.isalnum())


def find(name: str, rows: list[dict]) -> list[dict]:
    """Rows whose name or key is `name`, else those that contain it."""
    wanted = plain(name)
    exact = [r for r in rows if wanted in (plain(r["name"]), plain(r["key"]))]
    return exact or [r for r in rows if wanted and (wanted in plain(r["name"]) or wanted in plain(r["key"]))]


def run(name: str) -> None:
    """Print every matching row."""
    if not TABLE.exists():
        raise BadInput("the list of papers comes with the clone, not with the wheel; run this in a clone.")
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8")) or []
    found = find(name, rows)
    if not found:
        names = [r["name"] for r in rows]
        lower = {n.lower(): n for n in names}
        near = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)] or names
        raise BadInput(f"the course has no system called {name}; it has {', '.join(near) or 'none yet'}.")
    for row in found:
        print(f"{row['name']} [{row['key']}], a {row['kind']}")
        for field in SHOWN:
            value = row.get(field)
            if value:
                print(f"  {field:9s} {', '.join(value) if isinstance(value, list) else value}")
