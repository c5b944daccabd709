"""The built site as a whole, in a headless Chromium that can reach nothing but this machine.

Every page by itself: test_site_pages.py. Keyboard, print and motion: test_site_access.py.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import check_site  # noqa: E402

SITE = ROOT / "_build" / "html"
pytestmark = pytest.mark.site


def test_site_is_whole(capsys):
    """Pages, words, figures, references: nothing is empty and nothing is broken."""
    status = check_site.main([str(SITE)])
    assert status == 0, capsys.readouterr().out


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
