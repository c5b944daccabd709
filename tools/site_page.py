"""One page of the built site as a reader meets it, and what can be wrong with it. For tools/check_site.py."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

LEAST_WORDS = 60
# A role, a colon fence, an anchor, a labelled equation.
RAW_MYST = (r"\{[a-z]+(?:[:-][a-z]+)*\}`|(?:^|<p>|^> ?)\s*:{3,}(?:\s|\{|$)"
            r"|(?:^|<p>|^> ?)\([\w.-]+\)=(?:$|<)|\$\$ *\([\w-]+\)")
REMAINS = {
    # A reference that was resolved is a link: its mark follows the end of <a class="…" href="…">.
    "an unresolved reference": re.compile(
        r'class="[^"]*\b(?:problematic|system-message)\b|(?<!">)<span class="xref'),
    "raw MyST": re.compile(RAW_MYST, re.MULTILINE),
    # The heading of a quiz answer is HTML: what stands there is not typeset.
    "raw TeX in a summary": re.compile(r"<summary[^>]*>[^<]*\$[^<]*\$"),
    "a missing measurement": re.compile(r"not measured on two CPU cores"),
}
ELSEWHERE = re.compile(r"(?:https?:)?//")
OUTSIDE = re.compile(r"[a-z][a-z+.-]*:|//")


class Page(HTMLParser):
    """Words, figures, equations, films, links, anchors, and what the browser loads."""

    def __init__(self, text: str):
        super().__init__()
        self.words, self.images, self.equations, self.films = 0, 0, 0, 0
        self.no_alt, self.links, self.loads, self.anchors = [], [], [], set()
        self.inside, self.silent, self.in_article = 0, 0, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        if tag in ("script", "style"):
            self.silent += 1
        if tag == "article":
            self.in_article = True
        address = attrs.get("src") or attrs.get("href") or ""
        if tag in ("img", "script") or (tag == "link" and attrs.get("rel") == "stylesheet"):
            self.loads.append(address)
        if tag in ("a", "img", "script", "link") and address:
            self.links.append(address)
        self.inside += bool(tag == "a" and address and not OUTSIDE.match(address))
        if self.in_article:
            self.count(tag, attrs)

    def count(self, tag, attrs):
        classes = (attrs.get("class") or "").split()
        self.films += "tag_film" in classes
        self.equations += tag == "div" and "math" in classes
        if tag == "img":
            self.images += 1
            if not (attrs.get("alt") or "").strip():
                self.no_alt.append(attrs.get("src", "?"))

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.silent -= 1
        if tag == "article":
            self.in_article = False

    def handle_data(self, data):
        if self.in_article and not self.silent:
            self.words += len(data.split())


def read(file: Path) -> Page:
    return Page(file.read_text(encoding="utf-8"))


def link_faults(file: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    """Links of a page to files and anchors that are not there; `pages` keeps what was read already."""
    faults = []
    for address in page.links:
        if OUTSIDE.match(address):
            continue
        path, _, anchor = address.partition("#")
        path = unquote(path.split("?")[0])
        target = (file.parent / path).resolve() if path else file.resolve()
        if not target.exists():
            faults.append(f"links to {path}, which does not exist")
        elif anchor and "=" not in anchor and target.suffix == ".html":  # a=b is finder.js's
            if target not in pages:
                pages[target] = read(target)
            if unquote(anchor) not in pages[target].anchors:
                faults.append(f"links to {path}#{anchor}, and that page has no such anchor")
    return faults


def page_faults(file: Path, pages: dict[Path, Page] | None = None) -> tuple[list[str], Page]:
    """Faults of one page in words, and the parsed page."""
    text = file.read_text(encoding="utf-8")
    pages = {} if pages is None else pages
    page = pages.setdefault(file.resolve(), Page(text))
    article = text[text.find("<article") : text.rfind("</article>")]
    shown = re.sub(r"<pre.*?</pre>|<code.*?</code>", "", article, flags=re.DOTALL)
    faults = [f"holds {what}" for what, mark in REMAINS.items() if mark.search(shown)]
    if "Traceback (most recent call last)" in article:
        faults.append("holds a traceback")
    faults += [f"has an image without alt text: {src}" for src in page.no_alt]
    faults += [f"loads {src} from elsewhere" for src in page.loads if ELSEWHERE.match(src)]
    faults += link_faults(file, page, pages)
    if page.words < LEAST_WORDS:
        faults.append(f"has {page.words} words, fewer than {LEAST_WORDS}")
    return sorted(set(faults)), page


def chapter_faults(page: Page) -> list[str]:
    """What every chapter must show."""
    wanted = {"figure": page.images, "equation": page.equations, "film": page.films}
    return [f"a chapter without {'an' if what[0] in 'aeiou' else 'a'} {what}"
            for what, number in wanted.items() if not number]
