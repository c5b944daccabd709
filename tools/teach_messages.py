"""Writes book/teach/messages.json: what the checkers say to each planted wrong answer of tests/exercises/.

The guide for instructors shows these sentences. Making them needs torch; showing them does not.
"""

import ast
import importlib.util
import json
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "book" / "teach" / "messages.json"


def answers(source: str) -> dict[str, list[str]]:
    """Exercise id to the source text of its planted answers; a name stands for the function that it names."""
    tree = ast.parse(source)
    functions = {
        n.name: ast.get_source_segment(source, n) for n in tree.body if isinstance(n, ast.FunctionDef)
    }
    (wrong,) = (n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "WRONG")
    found = {}
    for key, rows in zip(wrong.keys, wrong.values, strict=True):
        texts = [ast.get_source_segment(source, row.elts[0]) for row in rows.elts]
        found[key.value] = [textwrap.dedent(functions.get(text, text)) for text in texts]
    return found


def messages(path: Path) -> dict[str, list[dict[str, str]]]:
    """Exercise id to its planted answers: `code` is the answer, `says` the checker's sentence."""
    from medtut import checks

    checks.load_checkers(path.stem)
    spec = importlib.util.spec_from_file_location(f"planted_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {
        name: [
            {"code": code, "says": checks.verdict(name, answer)}
            for code, (answer, _) in zip(codes, module.WRONG[name], strict=True)
        ]
        for name, codes in answers(path.read_text(encoding="utf-8")).items()
    }


def everything() -> dict[str, dict]:
    """Chapter's stem to its messages, for all files of tests/exercises/."""
    files = sorted((ROOT / "tests" / "exercises").glob("*.py"))
    return {path.stem: messages(path) for path in files if path.stem != "__init__"}


if __name__ == "__main__":
    FILE.write_text(json.dumps(everything(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(print(f"teach_messages: wrote {FILE.relative_to(ROOT)}"))
