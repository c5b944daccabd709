"""Pieces of slides: sentences never cut inside a tag, key code, printed numbers, options of questions."""

import re

from bs4 import NavigableString, Tag

CODE_WIDTH = 92  # of a line, in characters
NUMBER = 18  # a printed value longer than that is a sentence
SENTENCE = re.compile(
    r"(?:(?<=[.?!])|(?<=[.?!]</strong>)|(?<=[.?!]</em>))(?<!Fig\.)(?<!al\.)\s+(?=[A-Z“<0-9])"
)
VOID = {"img", "br"}
PLOTS = re.compile(r"plt\.|mt\.plots|\bax\.|print\(|\breport\(|\bdraw\(")
CODE_LEAST, CODE_LINES = 5, 15
BY_HAND = re.compile(r"def \w*(?:by_hand|in_the_paper|in_vp)")


def balanced(html: str) -> bool:
    """Whether each tag that opens also closes, and no formula is cut."""
    depth = 0
    for close, name in re.findall(r"<(/?)([a-z0-9]+)[^>]*>", html):
        depth += 0 if name in VOID else -1 if close else 1
    return depth == 0 and html.count(r"\(") == html.count(r"\)")


def sentences(html: str) -> list[str]:
    """The sentences of a paragraph, none cut inside a tag."""
    found, held = [], ""
    for piece in SENTENCE.split(html.strip()):
        held = f"{held} {piece}".strip()
        if balanced(held):
            found.append(held)
            held = ""
    return found + [held] * bool(held)


def words(html: str) -> int:
    """Characters that a reader sees; a formula counts about half of its source."""
    text = re.sub(r"<[^>]+>", "", html)
    return len(re.sub(r"\\\((.*?)\\\)", lambda m: m[1][: len(m[1]) // 2], text))


def inner(node: Tag) -> str:
    return "".join(str(c) for c in node.children)


def typeset(html: str) -> str:
    """Formulas between dollars, which the head of a fold keeps, as MathJax wants them."""
    return re.sub(r"\$(.+?)\$", r"\\(\1\\)", html)


def rich(text: str) -> str:
    """A sentence of chapters.yml as HTML: formulas between dollars, code between backticks."""
    return re.sub(r"`(.+?)`", r"<code>\1</code>", typeset(escape(text)))


def measured(printed: str) -> str:
    """Lines `name: value` as a table, others as they are."""
    rows = [line.rpartition(": ") for line in printed.split("\n")]
    if all(name and len(value) < NUMBER for name, _, value in rows):
        cells = "".join(f"<tr><td>{escape(n)}</td><td>{escape(v)}</td></tr>" for n, _, v in rows)
        return f"<table class='numbers'><tbody>{cells}</tbody></table>"
    return f"<pre>{escape(printed)}</pre>"


def escape(text: str) -> str:
    return str(NavigableString(text).output_ready("minimal"))


def choices(options: list[Tag], answered: bool) -> str:
    """The options of a question; answered, the right one is marked and each is explained in a sentence."""
    rows = []
    for option in options:
        why = inner(option.p) if option.p else ""
        right = " class='right'" if answered and why.startswith("Yes") else ""
        reason = f"<div class='why'>{' '.join(sentences(why)[:2])}</div>" if answered else ""
        rows.append(f"<li{right}>{typeset(inner(option.summary))}{reason}</li>")
    return f"<ul class='choices'>{''.join(rows)}</ul>"


def key_code(pre: Tag) -> str:
    """The short functions of a cell that neither draw nor report, coloured; "" if there is none."""
    plain, coloured = pre.get_text().strip("\n").split("\n"), inner(pre).strip("\n").split("\n")
    if len(plain) != len(coloured):
        return ""
    kept, starts = [], [i for i, line in enumerate(plain) if line.startswith("def ")]
    for start in starts:
        end = start + 1
        while end < len(plain) and (not plain[end] or plain[end].startswith((" ", ")"))):
            end += 1
        text, html = "\n".join(plain[start:end]).rstrip(), "\n".join(coloured[start:end]).rstrip()
        fits = max(map(len, plain[start:end])) <= CODE_WIDTH and balanced(html)
        key = BY_HAND.match(text) or text.count("\n") + 1 >= CODE_LEAST
        if fits and key and not PLOTS.search(text):
            kept.append((text.count("\n") + 1, html))
    shown, lines = [], 0
    for count, html in kept:
        if lines + count <= CODE_LINES:
            shown, lines = [*shown, html], lines + count + 1
    return "\n\n".join(shown)
