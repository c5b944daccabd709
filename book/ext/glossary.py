"""Sphinx extension: links the first use of each glossary term in each chapter.

A term that the author links with the role `term` is left as it is. Words that also have another, everyday
meaning are linked by the author only.
"""

import re

from docutils import nodes

EVERYDAY = {"bundle", "condition", "contrast", "inversion", "resampling", "score", "spread", "stiff"}
PAGES = re.compile(r"notebooks/|book/(part\d|\w+_primer|selftest|limits|notation|getting_started)$")
CLOSED = (nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.title,
          nodes.raw, nodes.table, nodes.term, nodes.caption, nodes.rubric)



def pattern(terms):
    """Finds any of the terms, the longest first; capitals count in names, a plural is the term as well."""
    def one(term):
        exact = any(letter.isupper() for letter in term)
        text = re.escape(term).replace("'", "['’]")
        return text if exact else f"(?i:{text})"

    longest = sorted(terms, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(map(one, longest))})(?:s|es)?(?![\w-])")


def first_uses(texts, terms, done):
    """[(position of the text, match, term)] of the first use of each term that is not done yet."""
    finder, exact = pattern(terms), {term.lower(): term for term in terms}
    done, found = set(done), []
    for i, text in enumerate(texts):
        for match in finder.finditer(text):
            term = exact[match[1].lower().replace("’", "'")]
            if term not in done and term not in EVERYDAY:
                done.add(term)
                found.append((i, match, term))
    return found


def open_texts(doctree):
    """The texts of paragraphs that may be linked, in order."""
    def closed(node):
        while node is not None and not isinstance(node, nodes.document):
            if isinstance(node, CLOSED) or "cell_output" in node.get("classes", []):
                return True
            node = node.parent
        return False

    texts = (text for paragraph in doctree.findall(nodes.paragraph) for text in paragraph.findall(nodes.Text))
    return [text for text in texts if not closed(text.parent)]


def link_terms(app, doctree, docname):
    if app.builder.format != "html" or not PAGES.match(docname):
        return
    known = {name: place for (kind, name), place in app.env.domains["std"].objects.items() if kind == "term"}
    linked = {node.get("refuri", "").partition("#")[2] for node in doctree.findall(nodes.reference)}
    done = [name for name, (_, anchor) in known.items() if anchor in linked]
    texts = open_texts(doctree)
    uses = {}
    for i, match, term in first_uses([t.astext() for t in texts], known, done):
        uses.setdefault(i, []).append((match, term))
    for i, found in uses.items():
        text, at, parts = texts[i].astext(), 0, []
        for match, term in found:
            page, anchor = known[term]
            address = f"{app.builder.get_relative_uri(docname, page)}#{anchor}"
            link = nodes.reference("", match[0], internal=True, refuri=address, classes=["glossary-link"])
            parts += [nodes.Text(text[at : match.start()]), link]
            at = match.end()
        parent = texts[i].parent
        parent.replace(texts[i], [*parts, nodes.Text(text[at:])])


def setup(app):
    app.connect("doctree-resolved", link_terms)
    app.add_css_file("reference.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
