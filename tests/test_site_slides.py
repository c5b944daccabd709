"""One deck of slides and two pages of the book, made from the built site and opened without a network."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import book_pdf  # noqa: E402
import slides  # noqa: E402
import teach_pages  # noqa: E402
from bs4 import BeautifulSoup  # noqa: E402
from deck import Deck  # noqa: E402
from deck_text import key_code, sentences  # noqa: E402
from pages import article  # noqa: E402

KEY = "0_data/01_brain_cohort"
ROWS = teach_pages.chapters(ROOT)
pytestmark = pytest.mark.site

OUTSIDE = """() => [...document.querySelectorAll(".slides > section")].flatMap(section => {
  const edge = section.getBoundingClientRect();
  return [...section.querySelectorAll(".body > *, h1, h2, .foot, img, mjx-container")].filter(node => {
    const box = node.getBoundingClientRect();
    return !node.closest(".frame, .film-box, .notes") && box.width && (box.right > edge.right + 1
      || box.bottom > edge.bottom + 1 || box.left < edge.left - 1 || box.top < edge.top - 1);
  }).map(node => section.querySelector("h1, h2").textContent + ": " + node.outerHTML.slice(0, 80));
})"""


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    out = tmp_path_factory.mktemp("slides")
    slides.assets(out)
    return slides.write_deck(KEY, ROWS[KEY], out)


def test_the_deck_as_pdf(browser, deck):
    """Pages, text, and nothing that sticks out of its slide."""
    from pypdf import PdfReader

    target, full = slides.print_deck(browser, deck)
    pages = PdfReader(target).pages
    soup = BeautifulSoup(deck.read_text(encoding="utf-8"), "html.parser")
    count = len(soup.select(".slides > section"))
    assert full == [] and len(pages) == count > 15
    text = " ".join(page.extract_text() for page in pages)
    for words in ("You will be able to", "Held out means warps and slabs", "A question to the room"):
        assert words in text
    assert {round(float(page.mediabox.width / page.mediabox.height), 2) for page in pages} == {1.78}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_deck_on_the_screen(browser, deck, scheme):
    """From the file system: keys, slide by slide, nothing outside, the film moves, no foreign request."""
    page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme=scheme)
    wrong = []
    own = ("file:", "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(own) else wrong.append(r.url))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("requestfailed", lambda r: wrong.append(r.url))
    page.goto(f"{deck.as_uri()}?print")
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.evaluate(OUTSIDE) == []
    page.goto(deck.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.locator("section.present h1").inner_text().startswith("The brain cohort: what it is")
    page.keyboard.press("Space")
    assert page.locator("section.present h2").inner_text() == "Before we begin"
    number = page.evaluate("[...document.querySelectorAll('section')].findIndex(s => s.matches('.film'))")
    page.evaluate(f"Reveal.slide({number})")
    slider = page.locator("section.present input[type=range]")
    before = slider.input_value()
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() != before and page.locator("section.present.film").count() == 1
    assert page.evaluate("document.querySelectorAll('[data-mml-node=merror]').length") == 0
    page.close()
    assert wrong == []


def test_overrides_skip_move_and_split():
    """book/slides.yml leaves a section out, moves one behind the others, and gives one more slides."""
    name = f"notebooks/{KEY}"
    plain = [s.title for s in Deck(article(name), ROWS[KEY]).build()]
    rules = {"skip": ["One template"], "last": ["A moving look"], "split": {"From template to subject": 4}}
    titles = [s.title for s in Deck(article(name), ROWS[KEY], rules).build()]
    assert "One template" in plain and "One template" not in titles
    assert titles.index("A moving look") > titles.index("Differences that remain")
    assert plain.index("A moving look") < plain.index("Differences that remain")
    assert titles.count("From template to subject") > plain.count("From template to subject")


def test_notes_hold_the_plan():
    found = Deck(article(f"notebooks/{KEY}"), ROWS[KEY]).build()
    minutes, heading, do = teach_pages.slot(ROWS[KEY])[1]
    first = next(s for s in found if s.title == heading)
    assert f"{minutes} minutes." in first.notes[0] and do in first.notes[0]


def test_a_sentence_is_never_cut_inside_a_tag():
    text = r"<strong>One. Two.</strong> See Fig. 3 for \(x. Y\) of A et al. Three? Yes."
    want = ["<strong>One. Two.</strong>", r"See Fig. 3 for \(x. Y\) of A et al. Three?", "Yes."]
    assert sentences(text) == want


def test_key_code_is_the_function_and_not_the_plot():
    function, plot = "def f_by_hand(x):\n    return <b>2</b>", "def draw(ax, i):\n    ax.plot(x)"
    cell = f"<pre>x = 1\n\n\n{function}\n\n\n{plot}\n\n\nprint(f(1))\n</pre>"
    assert key_code(BeautifulSoup(cell, "html.parser").pre) == function


def test_two_pages_of_the_book_as_pdf(browser, tmp_path):
    """Bookmarks, numbers in the contents, links inside the document, films as frames, answers at the end."""
    from pypdf import PdfReader

    names = ["book/part2", f"notebooks/{KEY}"]
    source, target = tmp_path / "book.html", tmp_path / "book.pdf"
    source.write_text(book_pdf.document(ROOT, [("Part", names)]), encoding="utf-8")
    assert book_pdf.print_book(browser, source, target) == []
    reader = PdfReader(target)
    texts = [page.extract_text() for page in reader.pages]
    top = [item.title for item in reader.outline if not isinstance(item, list)]
    assert top[-2:] == ["The brain cohort: what it is and what it is not", "Answers and solutions"]
    places = book_pdf.numbers(target)
    where = places[book_pdf.slug(names[1])]
    assert str(where) in texts[1] and "The brain cohort" in texts[where - 1]
    cut = places["answers"] - 1
    before, after = " ".join(texts[:cut]), " ".join(texts[cut:])
    solution = "math.log(2 / (1 + math.exp(-tr / t1)))"
    assert solution in after and solution not in before
    assert "mt.checks.mark" in before and "mt.checks.mark" not in after
    assert not [n for n, text in enumerate(texts) if len(text) < 60 and n > 1], "an empty page"
