"""MyST to the plain Markdown of Colab, Kaggle, Binder and JupyterLab, with the numbers of the built pages.

myst-parser's own tokens say where a block begins and ends. What is inside a line has no position in them,
so roles and links are found by one expression that steps over code and mathematics.
"""

import json
import posixpath
import re
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from pybtex.database import parse_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "ext"))
import addresses
import course
import papers

EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath", "html_image"}  # as in _config.yml
INLINE = re.compile(
    r"\{(?P<role>[a-z:]+)\}(?P<tick>`+)(?P<text>.+?)(?P=tick)"
    r"|(?P<code>`+)(?!`).+?(?<!`)(?P=code)(?!`)"
    r"|(?<!\\)\$[^$]+\$"
    r"|\]\((?P<link>[^()\s]+)\)",
    re.DOTALL,
)
OPTION = re.compile(r":(\w+): *(.*)\n?")
DIRECTIVE = re.compile(r"\{([\w-]+)\} *(.*)")
BOXES = {"admonition", "note", "tip", "hint", "important", "warning", "seealso"}
MEASUREMENTS = {"measured": course.Measured, "result": course.Result}


class Book:
    """What the build knows: numbers of equations and figures, where labels are, and who wrote what."""

    def __init__(self, root: Path, known: dict):
        self.known = known
        self.env = SimpleNamespace(srcdir=str(root), docname="", found_docs=set(known["pages"]),
                                   note_dependency=lambda file: None)  # what our roles ask of Sphinx
        self.entries = parse_file(str(root / "book" / "references.bib"), "bibtex").entries

    def number(self, docname: str, kind: str, anchor: str) -> str:
        return ".".join(map(str, self.known["numbers"][docname][kind][anchor]))

    def label(self, name: str) -> tuple[str, str]:
        """Page and anchor of a label, which ignores case."""
        place = self.known["labels"].get(name.lower())
        if place is None:
            raise LookupError(f"no page has the label {name}")
        return place[0], place[1]

    def equation(self, label: str) -> tuple[str, str]:
        """Page and number of a labelled equation."""
        docname = self.known["equations"][label]
        return docname, self.number(docname, "displaymath", f"equation-{label}")

    def who(self, key: str) -> tuple[str, str, str]:
        """Authors as the pages name them, year, and the address of the paper."""
        entry = self.entries[key]
        people = entry.persons["author"]
        names = [" ".join(map(str, p.rich_prelast_names + p.rich_last_names)) for p in people]
        authors = names[0] + " et al." if len(names) > 2 else " and ".join(names)
        fields = entry.fields
        if "doi" in fields:
            return authors, fields["year"], f"https://doi.org/{quote(fields['doi'])}"
        if "eprint" in fields:
            return authors, fields["year"], f"https://arxiv.org/abs/{fields['eprint']}"
        page = fields.get("url", addresses.page("book/bibliography"))
        return authors, fields["year"], quote(page, safe=":/?=&#~")


def built(root: Path) -> Book:
    """The book as the last build left it."""
    return Book(root, json.loads((root / "_build" / "numbers.json").read_text(encoding="utf-8")))


class Plain:
    """Turns Markdown of one page into plain Markdown; `prose` is all of it, to see its links to itself."""

    def __init__(self, book: Book, docname: str, prose: str = ""):
        self.book, self.docname = book, docname
        book.env.docname = docname
        self.document = SimpleNamespace(settings=SimpleNamespace(env=book.env))
        self.parser = create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML)
        self.linked = {name.lower() for name in re.findall(r"\]\(#?([\w.-]+)\)", prose)}

    def convert(self, text: str) -> str:
        """Blocks that MyST alone knows are replaced; all other lines keep their shape."""
        lines, out, done = text.split("\n"), [], 0
        for token in self.parser.parse(text, {}):
            if not token.map or token.map[0] < done:
                continue
            start, end = token.map
            block = self.block(token, lines[start:end])
            if block is None:
                continue
            indent = re.match(r"\s*", lines[start])[0]
            out.append(self.inline("\n".join(lines[done:start])))
            out += [*(indent + line for line in block.split("\n")), ""]
            done = end
        out.append(self.inline("\n".join(lines[done:])))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n")

    def block(self, token, lines: list[str]) -> str | None:
        """Plain lines for a block, or None where its own lines will do once roles and links are replaced."""
        if token.type == "myst_target":
            name = token.content.lower()
            return f'<a id="{name}" name="{name}"></a>\n' if name in self.linked else ""
        if token.type in ("math_block", "math_block_label"):
            return self.equation(token.content, token.info)
        if token.type == "dl_open":
            return self.definitions(lines)
        if token.type == "colon_fence" or (token.type == "fence" and token.info.startswith("{")):
            return self.directive(token)
        if token.type in ("fence", "code_block"):
            return textwrap.dedent("\n".join(lines))
        return None

    def definitions(self, lines: list[str]) -> str:
        """A definition list as a list: the term, and below it, on a line of its own, what it is."""
        said = [f"  {line[2:]}" if line.startswith(": ") else f"- {line}  " for line in lines if line]
        return self.inline("\n".join(said))

    def equation(self, content: str, label: str) -> str:
        tag = f"\n\\tag{{{self.book.equation(label)[1]}}}" if label else ""
        return f"$$\n{content.strip()}{tag}\n$$"

    def directive(self, token) -> str:
        name, title = DIRECTIVE.fullmatch(token.info.strip()).groups()
        options, body = {}, token.content
        while match := OPTION.match(body):
            options[match[1]] = match[2]
            body = body[match.end():]
        if name == "math":
            return self.equation(body, options.get("label", ""))
        if name == "papers-here":
            state, machine = SimpleNamespace(document=self.document), SimpleNamespace(reporter=None)
            rows = papers.PapersHere(name, [], {}, [], 0, 0, "", state, machine)
            return self.convert("\n".join(rows.lines(papers.read_yaml(self.book.env.srcdir, "papers.yml"))))
        if name in BOXES:
            if options.get("class") == "header-box":  # a line of its own for each, as on the page
                body = re.sub(r"^(\*\*.*\S)$", r"\1  ", body, flags=re.MULTILINE)
            inside = f"**{title or name.capitalize()}**\n\n{self.convert(body)}"
            return "\n".join(f"> {line}" if line else ">" for line in inside.split("\n"))
        raise LookupError(f"{self.docname}: launch copies have no plain form of the directive {name}")

    def inline(self, text: str) -> str:
        """Roles and links of lines; code and mathematics stay as they are."""
        def plain(match):
            if match["role"]:
                return self.role(match["role"], " ".join(match["text"].split()))
            return f"]({self.target(match['link'])})" if match["link"] else match[0]

        return INLINE.sub(plain, text)

    def role(self, name: str, text: str) -> str:
        if name in ("cite", "cite:p", "cite:t"):
            form = "[{} ({})]({})" if name == "cite:t" else "[{}, {}]({})"
            said = ", ".join(form.format(*self.book.who(key.strip())) for key in text.split(","))
            return said if name == "cite:t" else f"({said})"
        if name == "eq":
            docname, number = self.book.equation(text)
            here = docname == self.docname
            return f"({number})" if here else f"[({number})]({addresses.page(docname, f'equation-{text}')})"
        if name == "numref":
            docname, anchor = self.book.label(text)
            said = f"Fig. {self.book.number(docname, 'figure', anchor)}"
            return said if docname == self.docname else f"[{said}]({addresses.page(docname, anchor)})"
        if name == "math":
            return f"${text}$"
        if name == "term":
            return text.partition("<")[0].strip()
        if name in MEASUREMENTS:
            (node, *_), _ = MEASUREMENTS[name]()(name, "", text, 0, SimpleNamespace(document=self.document))
            return node.astext()
        raise LookupError(f"{self.docname}: launch copies have no plain form of the role {name}")

    def target(self, link: str) -> str:
        """A link's address in a copy: pages in full, since a copy has no neighbours."""
        if re.match(r"[a-z]+:", link):
            return link
        path, _, label = link.partition("#")
        if path.endswith((".ipynb", ".md")):
            docname = posixpath.normpath(posixpath.join(posixpath.dirname("/" + self.docname), path))
            return addresses.page(docname.lstrip("/").rpartition(".")[0], label)
        name = (label or path).lower()
        docname, anchor = self.book.label(name)
        return f"#{name}" if docname == self.docname else addresses.page(docname, anchor)
