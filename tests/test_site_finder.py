"""The methods finder, the page of needs, the converter and the glossary's links, in a browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
FINDER = "book/methods.html"
pytestmark = pytest.mark.site
SCHEMES = pytest.mark.parametrize("scheme", ["http", "file"])


def base(scheme, address):
    return address if scheme == "http" else SITE.as_uri()


def shown(page):
    return page.locator(".method:visible").count()


@SCHEMES
def test_state_is_in_the_address(visit, address, scheme):
    """A link opens a filtered list; a choice is written into the address; Clear empties both."""
    page, wrong = visit(f"{base(scheme, address)}/{FINDER}#task=reconstruction&modality=CT")
    left = shown(page)
    assert 0 < left < page.locator(".method").count()
    assert page.get_by_label("modality").input_value() == "CT"
    page.get_by_label("mechanism").select_option("plug-and-play")
    assert page.evaluate("location.hash") == "#task=reconstruction&modality=CT&mechanism=plug-and-play"
    assert 0 < shown(page) < left
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate("location.hash") == ""
    assert shown(page) == page.locator(".method").count()
    assert wrong == []


def test_words_find_names_authors_keys_and_plain_words(visit, address):
    page, _ = visit(f"{address}/{FINDER}")
    box = page.get_by_label("Name, author, key or plain words")
    for words, name in (("pi-GDM", "ΠGDM"), ("PiGDM", "ΠGDM"), ("Kawar", "DDRM"), ("chung2023dps", "DPS"),
                        ("compressed sensing", "Total variation"), ("sparse-view CT", "PnP-ADMM"),
                        ("few-words-that-nobody-wrote", None)):
        box.fill(words)
        names = page.locator(".method:visible strong:first-child").all_inner_texts()
        assert (name in names) if name else not names, words


def test_no_hit_offers_to_drop_the_narrowest_filter(visit, address):
    page, _ = visit(f"{address}/{FINDER}#task=synthesis&operator=PET")
    expect(page.get_by_role("status")).to_contain_text("No system has all of these")
    drop = page.get_by_role("button", name="Drop operator: PET")
    promised = int(re.search(r"shows (\d+)", drop.inner_text())[1])
    drop.press("Enter")
    assert shown(page) == promised > 0
    assert page.evaluate("document.activeElement.id") == "finder-status"


def test_what_nothing_covers_says_so(visit, address):
    page, _ = visit(f"{address}/{FINDER}#organ=heart")
    expect(page.get_by_role("status")).to_contain_text("Not covered")
    missing = page.get_by_label("modality").locator("optgroup option").all_inner_texts()
    assert "ultrasound: not covered" in missing
    counts = [o for o in page.get_by_label("task").locator(":scope > option").all_inner_texts() if o != "all"]
    assert all(re.search(r"\(\d+\)$", option) for option in counts)


def test_finder_by_keyboard(visit, address):
    """Tab from the words to the first filter, choose with the arrows, go on to Clear."""
    page, _ = visit(f"{address}/{FINDER}")
    page.get_by_label("Name, author, key or plain words").focus()
    page.keyboard.press("Tab")  # the fold
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "finder-task"
    page.keyboard.type("recon")
    assert page.evaluate("location.hash") == "#task=reconstruction"
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Clear"
    page.keyboard.press("Enter")
    assert shown(page) == page.locator(".method").count()


def test_cards_lead_to_code_source_figure_and_chapter(visit, address):
    """Each link of each card has its target in the site, and each thumbnail loads."""
    page, wrong = visit(f"{address}/{FINDER}")
    cards = page.evaluate("""() => [...document.querySelectorAll(".method")].map((card) =>
        [card.id, [...card.querySelectorAll("a")].map((a) => [a.textContent, a.getAttribute("href")])])""")
    ids = {}
    for name, links in cards:
        texts = dict(links)
        assert name.startswith("method-")
        assert {"Code", "Source on GitHub", "Figure", "Chapter"} <= set(texts), name
        for text in ("Code", "Figure", "Chapter"):
            path, _, anchor = texts[text].partition("#")
            file = (SITE / FINDER).parent / path
            ids.setdefault(file, set(re.findall(r'\bid="([^"]+)"', file.read_text(encoding="utf-8"))))
            assert anchor in ids[file], f"{name}: {texts[text]}"
    for picture in page.locator(".method-figure img").all()[::8]:
        picture.scroll_into_view_if_needed()
        page.wait_for_function("i => i.complete && i.naturalWidth > 0", arg=picture.element_handle())
    assert wrong == []


def test_one_card_can_be_linked(visit, address):
    page, _ = visit(f"{address}/{FINDER}#method-chung2023dps")
    expect(page.locator("#method-chung2023dps")).to_be_in_viewport()


def test_without_scripts_every_card_is_there(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{FINDER}")
    assert shown(page) == page.locator(".method").count() > 60
    assert page.locator(".finder select").count() == 0
    context.close()


@pytest.mark.parametrize(("words", "heading", "scheme"), [
    ("sparse-view CT", "Reconstruct sparse-view CT", "http"),
    ("sparse-view CT", "Reconstruct sparse-view CT", "file"),
    ("compressed sensing", "Reconstruct accelerated MRI", "http"),
    ("limited angle", "Reconstruct limited-angle CT", "http"),
])
def test_phone_search_needs_two_taps(visit, address, scheme, words, heading):
    """On a phone: type the words, tap the result, tap the methods."""
    page, wrong = visit(f"{base(scheme, address)}/search.html?q={words.replace(' ', '+')}")
    page.set_viewport_size({"width": 390, "height": 844})
    hit = page.locator("#search-results li a[href*='book/need']").first
    hit.wait_for(timeout=60_000)
    first = page.locator("#search-results li > a").first
    assert "book/need" in first.get_attribute("href"), f"{words}: another page comes first"
    first.click()
    page.wait_for_load_state("load")
    section = page.locator("section", has=page.locator("h3", has_text=heading)).last
    assert section.locator("h3").bounding_box()["y"] > 40, "the heading is behind the bar"
    expect(section.locator("h3")).to_be_in_viewport()
    section.locator("a.need-finder").click()
    page.wait_for_url("**/methods.html#*")
    status = page.get_by_role("status")
    expect(status).to_be_in_viewport()
    assert 0 < shown(page) < page.locator(".method").count()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    # Leaving the search page ends its own requests.
    assert [fault for fault in wrong if not fault.startswith("failed:")] == []


def test_every_need_opens_its_list(visit, address):
    """Each filtered address names axes and values that the finder knows."""
    page, _ = visit(f"{address}/book/need.html")
    links = page.locator("a.need-finder").evaluate_all("all => all.map((a) => [a.href, a.textContent])")
    assert len(links) >= 20
    finder, _ = visit(f"{address}/{FINDER}")
    for href, text in links:
        finder.evaluate("hash => { location.hash = hash; }", href.partition("#")[2])
        said = text.removeprefix("Methods: ")
        expect(finder.get_by_role("status")).to_contain_text(said)


@SCHEMES
def test_converter_by_keyboard(visit, address, scheme):
    """Type a step, read the level; move a slider; type an end; type nonsense."""
    page, wrong = visit(f"{base(scheme, address)}/book/notation.html#converter")
    box = {name: page.locator(f"#converter-{name}") for name in ("t", "abar", "sigma", "tau", "x", "vp")}
    box["t"].focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("100")
    values = [float(box[name].input_value()) for name in ("abar", "sigma", "tau")]
    assert values == pytest.approx([0.8970, 0.3388, 0.2531], rel=2e-4)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("ArrowRight")
    assert box["t"].input_value() == "101"
    box["vp"].fill("0.5")
    sigma = float(box["sigma"].input_value())
    assert float(box["x"].input_value()) == pytest.approx(0.5 * (1 + sigma**2) ** 0.5, rel=1e-4)
    ends = ("sigma", "inf", "pure noise"), ("tau", "0", "clean image"), ("abar", "0", "pure noise")
    for name, text, word in ends:
        box[name].fill(text)
        expect(page.get_by_role("status")).to_contain_text(word)
    box["abar"].fill("1.5")
    expect(page.get_by_role("alert")).to_contain_text("0 to 1")
    assert wrong == []


def test_chapters_link_the_glossary_at_first_use():
    """Each chapter links words of the glossary, each word once, to terms that are there."""
    glossary = (SITE / "book" / "glossary.html").read_text(encoding="utf-8")
    terms = set(re.findall(r'id="(term-[^"]+)"', glossary))
    for file in SITE.glob("notebooks/*/*.html"):
        text = file.read_text(encoding="utf-8")
        links = re.findall(r'class="glossary-link[^"]*" href="[^"]*glossary\.html#([^"]+)"', text)
        assert len(links) >= 3, file.name
        assert len(links) == len(set(links)), file.name
        assert set(links) <= terms
