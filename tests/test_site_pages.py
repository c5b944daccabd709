"""Every page of the built site, over HTTP and as a file, looked at in two widths and read by axe-core."""

import sys
from pathlib import Path

import accessibility
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import check_site  # noqa: E402

SITE = ROOT / "_build" / "html"
PAGES = check_site.toc_files(ROOT)
pytestmark = pytest.mark.site

FAULTS = """() => {
  const said = [];
  for (const m of document.querySelectorAll(".math")) {
    if (!m.querySelector("mjx-container")) said.push("not typeset: " + m.textContent.slice(0, 60));
    else if (!m.querySelector("math")) said.push("a formula without MathML for screen readers");
  }
  for (const m of document.querySelectorAll("[data-mml-node=merror]")) {
    said.push("TeX error: " + m.textContent);
  }
  for (const i of document.querySelectorAll("article img")) {
    if (!i.alt.trim()) said.push("no alt text: " + i.src);
    const late = i.loading === "lazy";  // read when it is scrolled to
    if (!late && (!i.complete || !i.naturalWidth)) said.push("image not shown: " + i.src.slice(0, 80));
  }
  for (const i of document.querySelectorAll("article input, article select")) {
    if (!i.labels.length && i.type !== "checkbox") said.push("no label: " + i.id);
  }
  for (const box of document.querySelectorAll("article *")) {
    const over = box.scrollWidth - box.clientWidth;
    if (over > 0 && box.clientWidth && /auto|scroll/.test(getComputedStyle(box).overflowX)
        && !(box.tabIndex === 0 && box.getAttribute("aria-label"))) {
      said.push(`scrolls, but not by keyboard or without a name: ${box.outerHTML.slice(0, 80)}`);
    }
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
    for width in (accessibility.WIDE, accessibility.NARROW):
        accessibility.set_width(page, width)
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


@pytest.mark.parametrize("name", [*PAGES, "genindex", "search"])
def test_page(visit, address, name):
    """No console error, no foreign request, mathematics, alt text, no sideways scrolling, sliders, axe."""
    page, wrong = visit(f"{address}/{name}.html")
    assert page_faults(page) + accessibility.axe_faults(page) + wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_page_as_a_file(visit, name):
    """Opened without a server, the page works as well."""
    page, wrong = visit((SITE / f"{name}.html").as_uri())
    assert page_faults(page) + wrong == []
