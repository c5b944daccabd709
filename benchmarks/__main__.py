"""`python -m benchmarks [NAME ...]`: measure all, or those named, into results/NAME.json.

A module of this folder with `MADE_FROM` and `main(out)` is a benchmark. One whose result was made by the same
code and weights is skipped; an interrupted one goes on from its finished pieces. One that NEEDS a package
which is not installed runs in an environment of its own: see `make peers`.
"""

import argparse
import importlib
import importlib.util
import time
from pathlib import Path

from tools.fresh import record

from .store import ROOT, fresh


def names() -> list[str]:
    """Every benchmark in this folder."""
    files = (path.stem for path in Path(__file__).parent.glob("*.py"))
    modules = {n: importlib.import_module(f"benchmarks.{n}") for n in files if not n.startswith("__")}
    return sorted(n for n, module in modules.items() if hasattr(module, "MADE_FROM"))


def lacks(name: str) -> str | None:
    """The package that a benchmark needs and that is not installed."""
    needed = getattr(importlib.import_module(f"benchmarks.{name}"), "NEEDS", None)
    return needed if needed and importlib.util.find_spec(needed) is None else None


def main() -> None:
    known = names()
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(known)}")
    parser.add_argument("--again", action="store_true", help="measure even what is fresh")
    args = parser.parse_args()
    if unknown := set(args.names) - set(known):
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if lacking := [f"{name} needs {lacks(name)}" for name in args.names if lacks(name)]:
        parser.error(f"{', '.join(lacking)}, which is not installed here; use `make {args.names[0]}`")
    for name in args.names or [name for name in known if not lacks(name)]:
        module, path = importlib.import_module(f"benchmarks.{name}"), ROOT / "results" / f"{name}.json"
        if fresh(path, module.MADE_FROM) and not args.again:
            print(f"{name}: results/{name}.json is fresh")
            continue
        start = time.perf_counter()
        module.main(path)
        record(f"results/{name}.json")
        print(f"{name}: {time.perf_counter() - start:.0f} s, written to results/{name}.json")


if __name__ == "__main__":
    main()
