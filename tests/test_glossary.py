"""The glossary: its size, its order, and where its terms are linked; the bibliography; how to cite."""

import re
import sys
from pathlib import Path

import pytest
from docutils import nodes
from pybtex.database import parse_file, parse_string

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book" / "ext")]

import glossary  # noqa: E402
import reference  # noqa: E402

TEXT = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8").split("```{glossary}")[1].split("```")[0]
ENTRIES = re.findall(r"^(\S.*)\n((?:  .+\n)+)", TEXT, flags=re.M)
TERMS = [term for term, _ in ENTRIES]
BIB = parse_file(str(ROOT / "book" / "references.bib")).entries
ADDRESS_ONLY = {  # neither DOI nor arXiv: why, and where the publisher keeps it
    "hyvarinen2005score": ("JMLR registers no DOI", "https://jmlr.org/papers/v6/"),
    "gretton2012mmd": ("JMLR registers no DOI", "https://jmlr.org/papers/v13/"),
    "papandreou2010": ("NeurIPS registers no DOI; before arXiv was usual", "https://papers.neurips.cc/"),
    "song2023pigdm": ("ICLR registers no DOI; only on OpenReview", "https://openreview.net/forum?id="),
    "dou2024fps": ("ICLR registers no DOI; only on OpenReview", "https://openreview.net/forum?id="),
    "vonplaten2022diffusers": ("software", "https://github.com/huggingface/diffusers"),
}


def test_terms_are_many_sorted_and_unique():
    assert len(TERMS) >= 60
    assert sorted(TERMS, key=str.lower) == TERMS
    assert len({term.lower() for term in TERMS}) == len(TERMS)
    assert len(TERMS) == len(re.findall(r"^\S", TEXT, flags=re.M)), "a term without a definition"


@pytest.mark.parametrize(("term", "definition"), ENTRIES, ids=TERMS)
def test_definitions(term, definition):
    words = definition.strip()
    assert len(words.split()) >= 4
    assert words[-1] in ".:`"


def test_everyday_words_are_terms():
    assert set(TERMS) >= glossary.EVERYDAY


def test_first_uses():
    texts = ["The score of Langevin dynamics, and DDPMs.", "A DDPM's Tweedie’s formula; pre-DDIM; priors."]
    found = glossary.first_uses([*texts, "DDIM"], TERMS, done=["prior"])
    assert [(i, match[0], term) for i, match, term in found] == [
        (0, "Langevin dynamics", "Langevin dynamics"), (0, "DDPMs", "DDPM"),
        (1, "Tweedie’s formula", "Tweedie's formula"), (2, "DDIM", "DDIM"),
    ]


def test_only_running_text_is_linked():
    """Headings, code, tables, links and outputs of cells stay as they are."""
    page = nodes.document(None, None)
    closed = nodes.literal("", "code"), nodes.reference("", "link")
    inside = nodes.paragraph("", "", nodes.Text("open "), *closed)
    table = nodes.table("", nodes.paragraph("", "cell"))
    output = nodes.container("", nodes.paragraph("", "printed"), classes=["cell_output"])
    page.extend([nodes.title("", "heading"), inside, table, output])
    assert [text.astext() for text in glossary.open_texts(page)] == ["open "]


@pytest.mark.parametrize("key", list(BIB))
def test_each_reference_can_be_found(key):
    """A DOI or an arXiv number; an address only where the table above says why."""
    fields = BIB[key].fields
    if not {"doi", "eprint"} & set(fields):
        assert fields["url"].startswith(ADDRESS_ONLY[key][1])
    else:
        assert key not in ADDRESS_ONLY
    if "eprint" in fields:
        assert fields["archiveprefix"] == "arXiv"
        month = int(fields["eprint"][2:4])
        assert 1 <= month <= 12
        assert len(fields["eprint"].partition(".")[2]) == (5 if fields["eprint"] >= "1501" else 4)
        assert 2000 + int(fields["eprint"][:2]) <= int(fields["year"]) + 3


@pytest.mark.parametrize("field", ["doi", "eprint", "url", "title"])
def test_no_reference_stands_twice(field):
    found = [entry.fields[field] for entry in BIB.values() if field in entry.fields]
    values = [re.sub(r"[{}\s]", "", value).lower() for value in found]
    assert sorted(values) == sorted(set(values))


def test_every_reference_is_cited():
    where = ("book/*.md", "book/*.yml", "notebooks/*/*.ipynb", "medtut/**/*.py")
    text = " ".join(file.read_text(encoding="utf-8") for place in where for file in ROOT.glob(place))
    words = set(re.findall(r"[a-z]+\d{4}[a-z0-9]*", text))
    assert set(BIB) - words == set()


def test_how_to_cite_is_made_from_the_citation_file():
    about = reference.citation(ROOT)
    assert about["version"] in reference.in_text(about)
    chapter = ROOT / "notebooks" / "1_foundations" / "02_ddpm.ipynb"
    title = reference.heading(chapter)
    assert title.startswith("DDPM")
    entries = reference.bibtex(about) + "\n" + reference.bibtex(about, "medtut-ddpm", title, "https://x.org/a.html")
    found = parse_string(entries, "bibtex").entries
    assert found["medtut"].fields["version"] == about["version"]
    assert found["medtut-ddpm"].fields["title"] == title
    people = [str(person) for person in found["medtut"].persons["author"]]
    assert people == [f"{{{who['name']}}}" for who in about["authors"]]
