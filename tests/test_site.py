"""The built site, opened in a headless Chromium that can reach nothing but this machine.

Every page is opened over HTTP and as a file, and looked at in two widths.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import check_site  # noqa: E402

SITE = ROOT / "_build" / "html"
PAGES = check_site.toc_files(ROOT)
WIDTHS = (1280, 390)
pytestmark = pytest.mark.site

FAULTS = """() => {
  const said = [];
  for (const m of document.querySelectorAll(".math")) {
    if (!m.querySelector("mjx-container")) said.push("not typeset: " + m.textContent.slice(0, 60));
  }
  for (const m of document.querySelectorAll("[data-mml-node=merror]")) {
    said.push("TeX error: " + m.textContent);
  }
  for (const i of document.querySelectorAll("article img")) {
    if (!i.alt.trim()) said.push("no alt text: " + i.src);
    if (!i.complete || !i.naturalWidth) said.push("image not shown: " + i.src.slice(0, 80));
  }
  for (const i of document.querySelectorAll("article input, article select")) {
    if (!i.labels.length && i.type !== "checkbox") said.push("no label: " + i.id);
  }
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) said.push("scrolls sideways by " + wide + " px");
  if (!document.querySelector("h1")) said.push("no heading");
  if (!document.documentElement.lang) said.push("no language");
  return said;
}"""


def page_faults(page):
    """What is wrong at each width, once the mathematics is there."""
    page.evaluate("async () => { await window.MathJax?.startup?.promise }")
    said = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        said += [f"{width} px: {fault}" for fault in page.evaluate(FAULTS) + slider_faults(page)]
    return said


def slider_faults(page):
    """Move every film by keyboard and see that another frame shows."""
    said = []
    for film in page.query_selector_all(".film"):
        slider, picture = film.query_selector("input[type=range]"), film.query_selector("img")
        before = picture.evaluate("i => i.getBoundingClientRect().left"), slider.input_value()
        slider.focus()
        page.keyboard.press("ArrowLeft")
        after = picture.evaluate("i => i.getBoundingClientRect().left"), slider.input_value()
        if before[0] == after[0] or before[1] == after[1]:
            said.append("a slider does not move by keyboard")
    cells = page.query_selector_all(".tag_film")
    if len(cells) != len(page.query_selector_all(".film")):
        said.append("a film has no slider")
    return said


def test_site_is_whole(capsys):
    """Pages, words, figures, references: nothing is empty and nothing is broken."""
    status = check_site.main([str(SITE)])
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", PAGES)
def test_page(visit, address, name):
    """No console error, no foreign request, mathematics, alt text, no sideways scrolling, sliders."""
    page, wrong = visit(f"{address}/{name}.html")
    assert page_faults(page) + wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_page_as_a_file(visit, name):
    """Opened without a server, the page works as well."""
    page, wrong = visit((SITE / f"{name}.html").as_uri())
    assert page_faults(page) + wrong == []


def test_landing_page_has_a_film(visit, address):
    """The front door shows a moving figure, and the redirect leads to it."""
    page, _ = visit(f"{address}/index.html")
    page.wait_for_url("**/book/index.html")
    page.wait_for_load_state("load")
    assert page.query_selector(".film input[type=range]"), "no film on the landing page"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds(visit, address, scheme):
    """A word of the glossary is found, with and without a server."""
    base = address if scheme == "http" else SITE.as_uri()
    page, wrong = visit(f"{base}/search.html?q=denoiser")
    page.locator("#search-results li", has_text="Notation").first.wait_for(timeout=60_000)
    assert wrong == []


def test_finder_filters(visit, address):
    """The methods page narrows its list, and says how many systems are left."""
    page, _ = visit(f"{address}/book/methods.html")
    everything = page.locator(".method:visible").count()
    page.get_by_label("task").select_option("reconstruction")
    left = page.locator(".method:visible").count()
    assert 0 < left < everything
    assert f"{left} of {everything}" in page.get_by_role("status").inner_text()


def test_without_scripts_the_film_shows_its_sheet(browser, address):
    """A reader without JavaScript sees every frame."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/index.html")
    box = page.locator(".tag_film img").first.bounding_box()
    assert box["width"] > 100
    context.close()
