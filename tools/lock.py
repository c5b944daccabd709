"""Write the two lock files from the environment that runs this: `python tools/lock.py`.

requirements-book.lock holds what builds the site, requirements.lock all the rest. Only names and exact
versions are written, no index address and no build tag (`2.13.0`, not `2.13.0+cpu`), so that each reader's
own pip settings decide where a wheel comes from and which build of torch it is.
"""

import sys
import tomllib
from importlib import metadata

from budget import ROOT, write_text
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BOOK_HEAD = "# What builds the site, with exact versions. Written by tools/lock.py.\n"
HEAD = """# Everything the course is checked with, exact versions. Written by tools/lock.py.
# What only Windows or macOS or a CUDA build of torch needs besides, pip chooses.
-r requirements-book.lock
"""


def closure(requirements: list[str]) -> dict[str, str]:
    """All installed distributions that the requirements lead to: name to version."""
    found, todo = {}, [Requirement(r) for r in requirements]
    seen = set()
    while todo:
        wanted = todo.pop()
        extras = wanted.extras or {""}
        name = canonicalize_name(wanted.name)
        if (name, frozenset(extras)) in seen:
            continue
        seen.add((name, frozenset(extras)))
        found[name] = metadata.version(name).split("+")[0]
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in {"", *extras}):
                todo.append(needed)
    return found


def main() -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    book = closure(extras["book"])
    everything = closure([*project["dependencies"], *(r for extra in extras.values() for r in extra)])
    rest = {name: version for name, version in everything.items() if name not in book}
    for path, head, rows in (("requirements-book.lock", BOOK_HEAD, book), ("requirements.lock", HEAD, rest)):
        write_text(ROOT / path, head + "".join(f"{name}=={rows[name]}\n" for name in sorted(rows)))
        print(f"{path}: {len(rows)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
