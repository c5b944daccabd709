"""Says whether a stored result still belongs to the code and the weights that made it.

A result file carries `"fresh": stamp(weights=[...], functions=[...])`. Nothing is imported:
functions are read as source, so that the book can be checked where torch is not installed.
"""

import ast
import hashlib
from pathlib import Path

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


def stamp(weights: list[str] = (), functions: list[str] = (), root: Path = ROOT) -> dict:
    """What a result stores: `{"weights": {name: hash}, "functions": {name: hash}}`."""
    return {
        "weights": {name: weight_hash(name, root) for name in weights},
        "functions": {name: source_hash(name, root) for name in functions},
    }


def stale(fresh: dict, root: Path = ROOT) -> list[str]:
    """Names in a stored stamp whose present hash is another one; empty if the result is fresh."""
    now = stamp(list(fresh["weights"]), list(fresh["functions"]), root)
    return [
        f"{kind[:-1]} {name}"
        for kind in ("weights", "functions")
        for name, digest in fresh[kind].items()
        if now[kind][name] != digest
    ]
