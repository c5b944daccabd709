"""Writes book/teach/chapters/*.md, the instructor guide: one page for each chapter of _toc.yml.

A person wrote book/teach/chapters.yml; the rest comes from the notebooks (answers, quiz keys), from
results/notebooks.json (seconds, memory), book/teach/messages.json (what the checkers say to mistakes).
"""

import json
import posixpath
import re
from pathlib import Path

import yaml
from check_site import toc_files
from mdit_py_plugins.anchors.index import slugify

MARK = re.compile(r"\n*mt\.checks\.mark\(.*\)\s*$", re.DOTALL)
OPTION = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*(.*?)\s*</details>", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|/|#)([^)#\s]+\.(?:ipynb|md))")
SPECIAL = re.compile(r"([\\`*_$\[\]<>{}|~])")


def chapters(root: Path) -> dict[str, dict]:
    """Key of each chapter in _toc.yml, such as 1_foundations/02_ddpm, to its row; KeyError if it has none."""
    rows = yaml.safe_load((root / "book" / "teach" / "chapters.yml").read_text(encoding="utf-8"))
    keys = [n.removeprefix("notebooks/") for n in toc_files(root) if n.startswith("notebooks/")]
    if missing := [key for key in keys if key not in rows]:
        raise KeyError(f"book/teach/chapters.yml has no row for {', '.join(missing)}")
    return {key: rows[key] for key in keys}


def short(key: str) -> str:
    """The chapter's name as a file or a label: 1_foundations/02_ddpm is 1_02_ddpm."""
    part, _, name = key.partition("/")
    return f"{part.split('_')[0]}_{name}"


def slot(row: dict) -> list[tuple[int, str, str]]:
    """Minutes, heading and what to do, for each line of a row's plan."""
    lines = [line.split(" | ", 2) for line in row["slot"]]
    return [(int(minutes), heading, do) for minutes, heading, do in lines]


class Chapter:
    """What the guide takes from one notebook."""

    def __init__(self, root: Path, key: str):
        self.key, self.path = key, f"notebooks/{key}.ipynb"
        self.cells = json.loads((root / self.path).read_text(encoding="utf-8"))["cells"]
        self.texts = ["".join(c["source"]) for c in self.cells if c["cell_type"] == "markdown"]
        self.headings = [
            h for text in self.texts for h in re.findall(r"^#{1,4} (.+?)\s*$", text, re.MULTILINE)
        ]
        self.title = self.headings[0]

    def absolute(self, text: str) -> str:
        """The text with relative links made absolute, so that it may stand on another page."""
        folder = posixpath.dirname(self.path)
        return LINK.sub(lambda m: "](/" + posixpath.normpath(posixpath.join(folder, m[1])), text)

    def link(self, heading: str) -> str:
        return f"[{heading}](/{self.path}#{slugify(heading)})"

    def figures(self) -> dict[str, str]:
        """Label to caption."""
        found = (c["metadata"].get("mystnb", {}).get("figure", {}) for c in self.cells)
        return {figure["name"]: figure["caption"] for figure in found if "name" in figure}

    def answers(self) -> dict[str, tuple[str, str]]:
        """Exercise id to its heading and the code of its solution, without the line that marks it."""
        found, heading = {}, ""
        for cell in self.cells:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                heading = (re.findall(r"^### (.+?)\s*$", source, re.MULTILINE) or [heading])[-1]
            for tag in cell["metadata"].get("tags", []):
                if tag.startswith("solution:"):
                    found[tag.partition(":")[2]] = heading, MARK.sub("", source).strip()
        return found

    def quiz(self) -> list[tuple[str, str, str]]:
        """Question, right option and why: the option whose text begins with "Yes"."""
        found = []
        for cell in self.cells:
            if "quiz" in cell["metadata"].get("tags", []):
                source = "".join(cell["source"])
                question = re.sub(r"^### .*$", "", source[: source.index("<details>")], flags=re.MULTILINE)
                (right,) = ((o, why) for o, why in OPTION.findall(source) if why.startswith("Yes"))
                found.append((self.absolute(question.strip()), *map(self.absolute, right)))
        return found


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", text)


def mistakes(rows: list[dict]) -> list[str]:
    """The planted answers of one exercise, each with the checker's sentence."""
    out = []
    for row in rows:
        says = plain(row["says"].removeprefix("not yet: "))
        if "\n" in row["code"] or "`" in row["code"]:
            block = ["```python", *row["code"].splitlines(), "```", "", f"→ *{says}*"]
            out += ["- ", *(f"  {line}" for line in block)]
        else:
            out += [f"- `{row['code']}`", "", f"  → *{says}*"]
        out.append("")
    return out


def schedule(chapter: Chapter, plan: list[tuple[int, str, str]]) -> list[str]:
    """The plan as a table; a chapter with a plan elsewhere has none here."""
    if not plan:
        return []
    rows = [f"| {minutes} | {chapter.link(heading)} | {do} |" for minutes, heading, do in plan]
    head = [
        f"## {sum(m for m, _, _ in plan)} minutes",
        "",
        "| minutes | section | what to do |",
        "|---|---|---|",
    ]
    return [*head, *rows, ""]


def page(chapter: Chapter, row: dict, measured: dict, said: dict) -> str:
    """One page of the guide, as MyST."""
    cpu, plan, answers, quiz = measured.get("cpu"), slot(row), chapter.answers(), chapter.quiz()
    cost = f"Runs in {cpu['seconds']:.0f} s with {cpu['gib']:.1f} GiB on two CPU cores." if cpu else ""
    out = [
        f"(teach-{short(chapter.key)})=",
        f"# Teach: {chapter.title}",
        "",
        f"[The chapter](/{chapter.path}). {cost} {len(answers)} exercises, {len(quiz)} questions.",
        "",
        f"**The one idea.** {row['idea']}",
        "",
        f"**Open with a question.** {row['ask']}",
        "",
        f"*What it is after:* {row['reply']}",
        "",
        *schedule(chapter, plan),
        f"**When late, skip this.** {row['skip']}",
        "",
    ]
    out += ["## Figures to show", ""] * bool(row["show"])
    captions = chapter.figures()
    for name in row["show"]:
        out += [f"- {{numref}}`{name}`: {plain(captions[name])}"]
    out += ["", "## What learners say, and what to answer", ""]
    for error in row["errors"]:
        out += [f"*“{error['says']}”*", f": {error['answer']}", ""]
    out += ["## Answers to the exercises", "", "After each arrow: what the checker says to that answer.", ""]
    for name, (heading, code) in answers.items():
        out += [
            f"### {heading}",
            "",
            f"The answer ({chapter.link(heading).replace(heading, 'statement', 1)}):",
            "",
            "```python",
            code,
            "```",
            "",
            *(["If a learner writes", ""] if name in said else []),
            *mistakes(said.get(name, [])),
        ]
    out += ["## Key to the questions", ""] * bool(quiz)
    for question, option, why in quiz:
        out += [question, "", f": **{option}** {why}", ""]
    return "\n".join(out)


def write_teach_pages(root: Path) -> None:
    """Writes the pages of the guide, and removes those whose chapter is gone."""
    folder = root / "book" / "teach" / "chapters"
    folder.mkdir(parents=True, exist_ok=True)
    said = json.loads((root / "book" / "teach" / "messages.json").read_text(encoding="utf-8"))
    measured = json.loads((root / "results" / "notebooks.json").read_text(encoding="utf-8"))
    pages = {}
    for key, row in chapters(root).items():
        stem = "_".join(re.sub(r"^\d+_", "", part) for part in key.split("/"))
        pages[f"{short(key)}.md"] = page(Chapter(root, key), row, measured.get(key, {}), said.get(stem, {}))
    for old in {p.name for p in folder.glob("*.md")} - set(pages):
        (folder / old).unlink()
    for name, text in pages.items():
        file = folder / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
