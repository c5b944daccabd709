"""Writes book/api/*.md, the pages about the package, from its source alone: one page per room of `medtut`."""

import ast
import re
from pathlib import Path

CITATION = re.compile(r"\[([a-z]+[0-9]{4}[a-z0-9]*)((?:, (?:eq|alg|sec|tab|app)[^\]]*)?)\]", re.IGNORECASE)


def public_nodes(tree: ast.Module) -> list:
    """Functions and classes of a module whose names do not start with an underscore."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [n for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")]


def signature(node) -> str:
    """`name(arguments) -> result`, or `class name(bases)`."""
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}({', '.join(ast.unparse(b) for b in node.bases)})"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}"


def docstring(node) -> str:
    """The docstring as MyST; a citation such as [ho2020ddpm, eq. 11] links to the bibliography."""
    text = ast.get_docstring(node) or ""
    text = re.sub(r"([<>$])", r"\\\1", re.sub(r"``([^`]*)``", r"`\1`", text))
    parts = re.split(r"(`[^`]*`)", text)
    cited = r"({cite:alp}`\1`\2)"
    return "".join(p.replace("\\", "") if p.startswith("`") else CITATION.sub(cited, p) for p in parts)


def label(module: str, node, names: list[str]) -> str:
    """`api-module.name`; labels ignore case, so a class that shares a function's name gets a suffix."""
    shared = [n.lower() for n in names].count(node.name.lower()) > 1
    return f"api-{module}.{node.name}" + "-class" * (shared and isinstance(node, ast.ClassDef))


def entry(node, source: str, name: str) -> str:
    """One function or class: label, heading, docstring, and its source to unfold."""
    code = ast.get_source_segment(source, node)
    decorators = "".join(f"@{ast.unparse(d)}\n" for d in node.decorator_list)
    return "\n".join([
        f"({name})=",
        f"### {node.name}",
        "",
        "```python",
        signature(node),
        "```",
        "",
        docstring(node),
        "",
        "````{dropdown} Source",
        "```python",
        decorators + code,
        "```",
        "````",
        "",
    ])


def module_section(module: str, file: Path) -> str:
    """The part of a page that belongs to one module; empty if nothing in it is public."""
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    nodes = public_nodes(tree)
    if not nodes:
        return ""
    head = [f"(api-{module})=", f"## {module}", "", docstring(tree), ""]
    names = [node.name for node in nodes]
    return "\n".join(head + [entry(node, source, label(module, node, names)) for node in nodes])


def rooms(package: Path) -> dict[str, list[tuple[str, Path]]]:
    """Modules grouped by room: a sub-package or a single module. The answers to the exercises stay out."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if len(parts) > 1 and not parts[-1].startswith("__") and parts[1] != "exercises":
            found.setdefault(parts[1], []).append((".".join(parts), file))
    return found


def write_api_pages(root: Path) -> list[Path]:
    """Writes the pages that changed, removes those whose room is gone, and returns what is there."""
    folder = root / "book" / "api"
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for room, modules in rooms(root / "medtut").items():
        sections = [text for name, file in modules if (text := module_section(name, file))]
        if not sections:
            continue
        page = folder / f"{room}.md"
        text = f"# medtut.{room}\n\n" + "\n".join(sections)
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
        pages.append(page)
    for old in set(folder.glob("*.md")) - set(pages):
        old.unlink()
    return pages
