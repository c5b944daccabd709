"""`python -m benchmarks [NAME ...]`: measure all, or those named, into results/NAME.json.

A module of this folder with `MADE_FROM` and `main(out)` is a benchmark. One whose result was made by the same
code and weights is skipped; an interrupted one goes on from its finished pieces.
"""

import argparse
import importlib
import time
from pathlib import Path

from tools.fresh import record

from .store import ROOT, fresh


def names() -> list[str]:
    """Every benchmark in this folder."""
    files = (path.stem for path in Path(__file__).parent.glob("*.py"))
    modules = {n: importlib.import_module(f"benchmarks.{n}") for n in files if not n.startswith("__")}
    return sorted(n for n, module in modules.items() if hasattr(module, "MADE_FROM"))


def main() -> None:
    known = names()
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(known)}")
    parser.add_argument("--again", action="store_true", help="measure even what is fresh")
    args = parser.parse_args()
    if unknown := set(args.names) - set(known):
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for name in args.names or known:
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
