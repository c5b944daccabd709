"""The ways in, in a headless Chromium: the film of the landing page, its doors, and the paths."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book" / "ext"), str(ROOT / "tools")]

import check_site  # noqa: E402
import paths  # noqa: E402

TOC = check_site.toc_files(ROOT)
pytestmark = pytest.mark.site


def frame(page):
    return int(page.locator(".film input[type=range]").first.input_value())


def test_the_film_moves_by_itself_and_can_be_stopped(browser, address):
    """Where motion is welcome the landing page's film plays; its button stops it by keyboard."""
    context = browser.new_context(reduced_motion="no-preference")
    page = context.new_page()
    page.goto(f"{address}/book/index.html")
    button = page.locator(".film-play").first
    page.wait_for_function("document.querySelector('.film-play').textContent === 'Pause'")
    before = frame(page)
    page.wait_for_function("f => document.querySelector('.film input').value != f", arg=str(before))
    button.focus()
    page.keyboard.press("Enter")
    assert button.inner_text() == "Play"
    stopped = frame(page)
    page.wait_for_timeout(900)
    assert frame(page) == stopped
    context.close()


def test_the_film_rests_for_who_wants_no_motion(visit, address):
    """With reduced motion nothing moves until the button is pressed; the slider stops it again."""
    page, wrong = visit(f"{address}/book/index.html")
    last = frame(page)
    page.wait_for_timeout(900)
    assert frame(page) == last == 9
    page.locator(".film-play").first.focus()
    page.keyboard.press("Space")
    page.wait_for_function("['2', '3'].includes(document.querySelector('.film input').value)")
    page.locator(".film input").first.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(900)
    assert frame(page) == 1
    assert wrong == []


def test_the_doors_open(visit, address):
    """Three doors, each a link to a page; the numbers are those that the repository counts."""
    page, _ = visit(f"{address}/book/index.html")
    doors = page.locator(".doors a.sd-stretched-link")
    assert doors.count() == 3
    for k in range(3):
        assert page.request.get(doors.nth(k).evaluate("a => a.href")).ok
    shown = [int(text) for text in page.locator(".course-numbers .count").all_inner_texts()]
    assert shown == [paths.count(ROOT, what, TOC) for what in ("chapters", "systems", "exercises", "tests")]


@pytest.mark.parametrize("name", ["workshop", "half_day", "two_days", "eight_weeks"])
def test_a_path_adds_up(visit, address, name):
    """The minutes of the slots that are shown make the total that is shown."""
    page, _ = visit(f"{address}/book/paths/{name}.html")
    slots = page.locator(".path-slot").all_inner_texts()
    assert len(slots) == len(paths.timed(ROOT, paths.read_paths(ROOT)[name], set(TOC)))

    def minutes(text):
        hours, rest = re.search(r"(\d+) h", text), re.search(r"(\d+) min", text)
        return 60 * int(hours[1] if hours else 0) + int(rest[1] if rest else 0)

    heads = [next(line for line in slot.splitlines() if "·" in line).rsplit("·", 1)[1] for slot in slots]
    total = page.locator(".path > p", has_text="Together").inner_text()
    assert sum(map(minutes, heads)) == minutes(total.split(",")[0])
