"""All that CI runs: `python tools/test.py [STEP ...]`. A step that fails does not stop the next.

Ruff, unit tests, notebooks (nbval, strict, fresh kernels, none skipped), book, site (headless Chromium).
With --record, a run of all steps that passes is written to results/verified.json, which every chapter quotes.
"""

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import version

import budget

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
NO_CHROMIUM = "No Chromium was found, so the site was not opened; install the package chromium."
TOOLS = {"PYTHONPATH": "tools"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # two workers on two cores must not fight


def steps() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Name to (arguments of this Python, changes to the environment)."""
    site = [str(p.relative_to(budget.ROOT)) for p in sorted((budget.ROOT / "tests").glob("test_site*.py"))]
    return {
        "ruff": (["-m", "ruff", "check", "."], {}),
        "unit": (["-m", "pytest", "tests", "-n", "2", "--dist", "worksteal", "--durations", "10",
                  "-p", "file_seconds", *(f"--ignore={s}" for s in site)], ONE_THREAD | TOOLS),
        "notebooks": (["-m", "pytest", "notebooks", "--nbval", "--nbval-current-env",
                       "--nbval-cell-timeout=120", "-p", "nbval_budget"], TOOLS),
        "book": (["tools/build_book.py", "--all"], {}),
        "site": (["-m", "pytest", *site, "-n", "2", "--dist", "worksteal", "--durations", "10"], {}),
    }


def run(arguments: list[str], changes: dict[str, str]) -> tuple[int, str]:
    """Run this Python, showing what it says; its exit status and its last line that is not empty."""
    command = subprocess.Popen(
        [sys.executable, *arguments], cwd=budget.ROOT, env={**os.environ, **changes},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace")
    last = ""
    for line in command.stdout:
        print(line, end="", flush=True)
        last = line.strip(" =\n") or last
    return command.wait(), last


def count(lines: list[str], word: str) -> int:
    return sum(int(n) for line in lines for n in re.findall(rf"(\d+) {word}", line))


def record(rows: list[tuple[str, int, str, float]]) -> bool:
    """Write what passed, when and with what; only if every step ran and none failed."""
    if {name for name, *_ in rows} != set(steps()) or any(status for _, status, *_ in rows):
        return False
    cells = next(count([last], "passed") for name, _, last, _ in rows if name == "notebooks")
    packages = {name: version(name.lower()).split("+")[0] for name in ("torch", "MONAI", "diffusers")}
    said = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"Python": platform.python_version()} | packages,
        "cells": cells,
        "seconds": round(sum(seconds for *_, seconds in rows)),
    }
    budget.write_text(budget.ROOT / "results" / "verified.json", json.dumps(said, indent=1) + "\n")
    return True


def main() -> int:
    names = list(steps())
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", help=f"steps to run; default: {', '.join(names)}", metavar="STEP")
    parser.add_argument("--record", action="store_true", help="if all steps pass, say so on every chapter")
    options = parser.parse_args()
    chosen = options.only or names
    if options.record and set(chosen) != set(names):
        parser.error("--record is for a run of all steps")
    if unknown := set(chosen) - set(names):
        parser.error(f"no step called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    rows, start = [], time.perf_counter()
    for name in chosen:
        if name == "site" and not any(map(shutil.which, CHROMIUM)):
            rows.append((name, 1, NO_CHROMIUM, 0.0))
            continue
        print(f"\n##### {name}", flush=True)
        since = time.perf_counter()
        rows.append((name, *run(*steps()[name]), time.perf_counter() - since))
    print()
    for name, status, last, seconds in rows:
        print(f"{name:<10} {'FAILED' if status else 'ok':<6} {seconds:6.0f} s  {last}")
    lines = [last for _, _, last, _ in rows if " in " in last]  # the closing lines of pytest
    failed = [name for name, status, _, _ in rows if status]
    print(f"===== {count(lines, 'passed')} passed, {count(lines, 'failed') + count(lines, 'error')} failed, "
          f"{len(rows) - len(failed)} of {len(rows)} steps ok, in {time.perf_counter() - start:.0f} s =====")
    if options.record:
        print("recorded in results/verified.json; build the book again to show it" if record(rows) else
              "nothing recorded: a step failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
