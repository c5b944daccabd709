"""Says whether a stored result still belongs to the code and the weights that made it.

`python tools/fresh.py results/NAME.json` is called by what has just measured NAME; the hashes go to
results/fresh.json. Nothing is imported: functions are read as source, so torch is not needed.
"""

import ast
import hashlib
import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def module_file(module: str, root: Path = ROOT) -> Path:
    """Source file of a dotted module name below `root`."""
    base = root.joinpath(*module.split("."))
    file = base.with_suffix(".py") if base.with_suffix(".py").is_file() else base / "__init__.py"
    if not file.is_file():
        raise FileNotFoundError(f"module {module} has no source file below {root}")
    return file


def find_node(name: str, root: Path = ROOT) -> tuple[Path, ast.AST]:
    """File and syntax node of `package.module:function` or `package.module:Class.method`."""
    module, _, path = name.partition(":")
    file = module_file(module, root)
    node = ast.parse(file.read_text(encoding="utf-8"))
    for part in path.split("."):
        found = [n for n in node.body if getattr(n, "name", None) == part]
        if not found:
            raise LookupError(f"{module} defines no {path}")
        node = found[-1]
    return file, node


def source_hash(name: str, root: Path = ROOT) -> str:
    """Hash of a function's lines without its docstring, comment lines and blank lines."""
    file, node = find_node(name, root)
    lines = file.read_text(encoding="utf-8").splitlines()
    skip = set()
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        skip = set(range(first.lineno, first.end_lineno + 1))
    top = min([node.lineno] + [d.lineno for d in node.decorator_list])
    kept = [lines[i - 1].rstrip() for i in range(top, node.end_lineno + 1) if i not in skip]
    kept = [line for line in kept if line.strip() and not line.strip().startswith("#")]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def weight_hash(name: str, root: Path = ROOT) -> str:
    """Hash of a shipped weight file."""
    return hashlib.sha256((root / "medtut" / "weights" / f"{name}.safetensors").read_bytes()).hexdigest()


def rows_of(result: str, root: Path = ROOT) -> list[dict]:
    """Rows of book/papers.yml whose `result` is that file, written as in the row: results/NAME.json."""
    rows = yaml.safe_load((root / "book" / "papers.yml").read_text(encoding="utf-8")) or []
    return [row for row in rows if row["result"] == result]


def stamp(result: str, root: Path = ROOT) -> dict:
    """Hashes of a result file, and of the functions and weights that its rows in papers.yml name."""
    rows = rows_of(result, root)
    functions = sorted({name for row in rows for name in [row["code"], *row.get("also", [])]})
    weights = sorted({name for row in rows for name in row.get("weights", [])})
    return {
        "file": hashlib.sha256((root / result).read_bytes()).hexdigest(),
        "functions": {name: source_hash(name, root) for name in functions},
        "weights": {name: weight_hash(name, root) for name in weights},
    }


def record(result: str, root: Path = ROOT) -> None:
    """Store the stamp of a result that was written just now; a file that no row names is left out."""
    if not rows_of(result, root):
        return
    book = root / "results" / "fresh.json"
    stamps = json.loads(book.read_text(encoding="utf-8")) if book.is_file() else {}
    stamps[result] = stamp(result, root)
    draft = book.with_suffix(".tmp")
    draft.write_text(json.dumps(stamps, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(book)


def faults(result: str, root: Path = ROOT) -> list[str]:
    """What changed since a result was stored, one sentence each; empty if it is fresh."""
    if not (root / result).is_file():
        return [f"{result} does not exist"]
    book = root / "results" / "fresh.json"
    stored = json.loads(book.read_text(encoding="utf-8")).get(result) if book.is_file() else None
    if stored is None:
        return [f"{result} was never stamped"]
    now = stamp(result, root)
    said = [] if stored["file"] == now["file"] else [f"{result} changed after it was stamped"]
    for kind in ("functions", "weights"):
        for name, digest in now[kind].items():
            if stored[kind].get(name) != digest:
                said.append(f"{result} is older than {name}")
    return said


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record(Path(name).resolve().relative_to(ROOT).as_posix())
