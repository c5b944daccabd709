"""Writes book/api/*.md, the pages about the package, from its source alone: one page per room of `medtut`.

A page begins with an index: each name with the first sentence of its docstring. Each entry has its signature,
its docstring, the address of its lines on GitHub, and its source to unfold.
"""

import ast
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "ext"))

import addresses

WIDTH = 88
CITATION = re.compile(r"\[([a-z]+[0-9]{4}[a-z0-9]*)((?:, (?:eq|alg|sec|tab|app)[^\]]*)?)\]", re.IGNORECASE)


def public_nodes(tree: ast.Module) -> list:
    """Functions and classes of a module whose names do not start with an underscore."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [n for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")]


def signature(node) -> str:
    """`name(arguments) -> result`, one argument a line where one line is too long; of a class its fields."""
    if isinstance(node, ast.ClassDef):
        fields = [ast.unparse(n) for n in node.body if isinstance(n, ast.AnnAssign) and not is_private(n)]
        head = f"class {node.name}({', '.join(ast.unparse(b) for b in node.bases)})".replace("()", "")
        return "\n".join([head + ":" * bool(fields), *(f"    {field}" for field in fields)])
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{node.name}({ast.unparse(node.args)}){returns}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{node.name}(", *(f"    {part}," for part in arguments(node.args)), f"){returns}"])


def is_private(field: ast.AnnAssign) -> bool:
    """Whether a field of a class is the class's own business."""
    return ast.unparse(field.target).startswith("_")


def arguments(args: ast.arguments) -> list[str]:
    """Each argument with its type and its default, and the marks / and *."""
    text, depth, parts = ast.unparse(args), 0, [""]
    quote = ""
    for letter in text:
        if letter in "\"'":
            quote = "" if quote == letter else quote or letter
        depth += 0 if quote else (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    spaced = (re.sub(r"(?<![=!<>])=(?!=)", " = ", part.strip(), count=1) for part in parts)
    return [part if ":" in part else part.replace(" = ", "=") for part in spaced]


def summary(node) -> str:
    """The first sentence of the docstring, in one line, without citations."""
    text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    text = re.sub(r" ?\[[a-z]+\d{4}[a-z0-9]*(?:,[^\]]*)?\]", "", text)
    return myst(re.split(r"(?<=[^.]{3}[.:]) (?=[A-Z])", text)[0]).replace("|", "\\|")


def docstring(node) -> str:
    """The docstring as MyST; a citation such as [ho2020ddpm, eq. 11] links to the bibliography."""
    return myst(ast.get_docstring(node) or "")


def myst(text: str) -> str:
    """Plain words with code and citations as MyST; a power such as s**2 begins no bold type."""
    text = re.sub(r"([<>$]|\*(?=\*)|(?<=\*)\*)", r"\\\1", re.sub(r"``([^`]*)``", r"`\1`", text))
    parts = re.split(r"(`[^`]*`)", text)
    cited = r"({cite:alp}`\1`\2)"
    return "".join(p.replace("\\", "") if p.startswith("`") else CITATION.sub(cited, p) for p in parts)


def label(module: str, node, names: list[str]) -> str:
    """`api-module.name`; labels ignore case, so a class that shares a function's name gets a suffix."""
    shared = [n.lower() for n in names].count(node.name.lower()) > 1
    return f"api-{module}.{node.name}" + "-class" * (shared and isinstance(node, ast.ClassDef))


def entry(node, source: str, name: str, address: str, mark: str) -> str:
    """One function or class: label, heading, signature, docstring, place on GitHub, source to unfold."""
    code = ast.get_source_segment(source, node)
    decorators = "".join(f"@{ast.unparse(d)}\n" for d in node.decorator_list)
    return "\n".join([
        f"({name})=",
        f"{mark} {node.name}",
        "",
        "```python",
        signature(node),
        "```",
        "",
        docstring(node),
        "",
        f"[{name.removeprefix('api-')} on GitHub]({address})",
        "",
        "````{dropdown} Source",
        "```python",
        decorators + code,
        "```",
        "````",
        "",
    ])


def module_section(module: str, file: Path, root: Path, alone: bool = False) -> str:
    """The part of a page that belongs to one module, or all of it."""
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    nodes = public_nodes(tree)
    names = [node.name for node in nodes]
    labels = [label(module, node, names) for node in nodes]
    title = f"# {module}" if alone else f"## {module.removeprefix('medtut.')}"
    mark = "##" if alone else "###"
    head = [f"(api-{module})=", title, "", docstring(tree), "", "| name | what it is |", "|---|---|"]
    pairs = list(zip(nodes, labels, strict=True))
    head += [f"| [`{node.name}`](#{name}) | {summary(node)} |" for node, name in pairs]
    path = file.relative_to(root).as_posix()
    parts = [entry(node, source, name, addresses.released(path, node), mark) for node, name in pairs]
    return "\n".join([*head, "", *parts])


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
        public = [(name, file) for name, file in modules if public_nodes(ast.parse(file.read_text("utf-8")))]
        sections = [module_section(name, file, root, alone=len(public) == 1) for name, file in public]
        if not sections:
            continue
        page = folder / f"{room}.md"
        head = "" if len(public) == 1 else f"# medtut.{room}\n\n"
        text = head + "\n".join(sections)
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
        pages.append(page)
    for old in set(folder.glob("*.md")) - set(pages):
        old.unlink()
    return pages
