"""The learner's pages in a headless Chromium, by keyboard: exercises, quiz, class view, reader study."""

import base64
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
CHAPTER = "notebooks/2_sampling_and_conditioning/04_guidance.html"
EXERCISES = sum('"stub:' in line for file in (ROOT / "notebooks").rglob("[0-9]*.ipynb")
                for line in file.read_text(encoding="utf-8").splitlines())
pytestmark = pytest.mark.site


@pytest.fixture
def reader(browser):
    """open(url) of one reader, whose browser remembers; every error on the way fails the test."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page, wrong = context.new_page(), []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))

    def go(url):
        page.goto(url, wait_until="load", timeout=60_000)
        return page

    yield go
    assert wrong == []
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"scrolls sideways by {wide} px"
    context.close()


def saved(page, name: str) -> str:
    """The text of the file that a button offers, pressed by keyboard."""
    with page.expect_download() as found:
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Enter")
    return Path(found.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_tick_stays_and_shows_in_the_list(reader, address, scheme):
    base = address if scheme == "http" else SITE.as_uri()
    page = reader(f"{base}/{CHAPTER}")
    box = page.locator("[data-exercise=guidance-2]")
    box.focus()
    page.keyboard.press("Space")
    page.locator("summary", has_text="A. Right, this is what").press("Enter")
    assert "You opened A first: not right." in page.locator("#quiz").inner_text()
    page.locator("summary", has_text="C. No: the samples are").press("Enter")
    page.reload()
    assert page.locator("[data-exercise=guidance-2]").is_checked()
    assert "1 of 5 exercises done, 0 of 4 quiz" in page.locator(".learn-note", has_text="done").inner_text()
    page = reader(f"{base}/book/exercises.html")
    assert page.locator("[data-exercise=guidance-2]").is_checked()
    sums = page.locator(".progress-panel").inner_text()
    assert f"In all: 1 of {EXERCISES} exercises; quiz: 0 right of 1 answered" in sums
    kept = json.loads(saved(page, "Save to a file"))
    assert kept["exercises"] == {"guidance-2": True}
    forget = page.get_by_role("button", name="Forget everything")
    forget.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert not page.locator("[data-exercise=guidance-2]").is_checked()
    page.get_by_label("Add from a file").set_input_files(
        {"name": "mine.json", "mimeType": "application/json", "buffer": json.dumps(kept).encode()})
    page.get_by_text("Added what mine.json holds.").wait_for()
    assert page.locator("[data-exercise=guidance-2]").is_checked()


def test_every_exercise_leads_to_its_place(reader, address):
    """The links of the list end at a heading of a chapter."""
    page = reader(f"{address}/book/exercises.html")
    links = page.locator(".exercise-row strong a").evaluate_all("all => all.map((a) => a.href)")
    assert len(links) == page.locator(".exercise-row").count() == EXERCISES
    for name in {link.partition("#")[0] for link in links}:
        text = (SITE / name.removeprefix(f"{address}/")).read_text(encoding="utf-8")
        wanted = [link.partition("#")[2] for link in links if link.startswith(f"{name}#")]
        assert [anchor for anchor in wanted if f'<section id="{anchor}">' not in text] == []


def test_without_storage_the_page_works_and_says_so(browser, address):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('off'); }})")
    page = context.new_page()
    page.goto(f"{address}/book/exercises.html")
    page.locator("[data-exercise=guidance-2]").check()
    assert f"In all: 1 of {EXERCISES}" in page.locator(".progress-panel").inner_text()
    assert "This browser keeps nothing" in page.locator(".progress-panel").inner_text()
    context.close()


def answer(page, items, wrong: set[str]):
    """Answers all questions by keyboard: rightly, but for those in `wrong`, which stay empty."""
    for _ in items:
        case = page.locator("legend").inner_text()
        item = next(i for i in items if i["case"].split() == case.split())
        assert "Right" not in page.locator(".quiz-panel").inner_text(), "a verdict before the end"
        if item["id"] not in wrong:
            page.locator(f"input[value='{item['right']}']").focus()
            page.keyboard.press("Space")
        page.keyboard.press("Enter") if item["id"] not in wrong else page.get_by_role(
            "button", name="Next").or_(page.get_by_role("button", name="Finish")).press("Enter")


def test_the_quiz_before_and_after_and_the_class(reader, address):
    page = reader(f"{address}/book/quiz.html")
    items = json.loads(page.locator("#quiz-data").inner_text())
    page.get_by_label("Nickname code").fill("owl")
    page.get_by_role("button", name="before the course").press("Enter")
    answer(page, items, {i["id"] for i in items[:8]})
    shown = page.locator(".quiz-panel").inner_text()
    assert "Score before the course: 12 of 20" in shown and items[0]["claim"] not in shown
    first = saved(page, "Save to a file")
    page.get_by_role("button", name="Back to the start").press("Enter")
    page.get_by_role("button", name="after the course").press("Enter")
    answer(page, items, {items[0]["id"]})
    shown = page.locator(".quiz-panel").inner_text()
    assert "Score after the course: 19 of 20" in shown and "Gain: 7 questions" in shown
    assert items[0]["options"][items[0]["right"]][1] in shown
    links = page.locator(".learn-table a").evaluate_all("all => all.map((a) => a.href.split('#')[1])")
    text = (SITE / "book" / "misconceptions.html").read_text(encoding="utf-8")
    assert all(f'id="{anchor}"' in text for anchor in links) and len(links) == 20
    both = saved(page, "Save to a file")
    assert json.loads(both)["code"] == "owl" and "after" not in json.loads(first)

    page = reader(f"{address}/book/quiz_class.html")
    other = json.loads(both) | {"code": "fox", "before": json.loads(both)["after"]}
    files = {"owl-1.json": first, "owl-2.json": both, "fox.json": json.dumps(other), "notes.json": "{}"}
    page.get_by_label("Choose the saved files").set_input_files(
        [{"name": n, "mimeType": "application/json", "buffer": t.encode()} for n, t in files.items()])
    page.get_by_text("Not a file of this quiz: notes.json.").wait_for()
    shown = page.locator(".class-panel").inner_text()
    assert "Before: mean 15.50 of 20, 2 learners." in shown and "Mean gain: 3.50 questions" in shown
    assert page.locator(".class-panel tbody tr").count() == 20
    rows = saved(page, "Save as CSV").splitlines()
    assert rows[1].startswith('"owl",12,19,') and rows[2].startswith('"fox",19,19,')


def test_the_reader_study_gives_an_area(reader, address):
    page = reader(f"{address}/book/reader_study.html")
    key = json.loads(page.locator("#reader-data").inner_text())
    sides = json.loads(base64.b64decode(key["key"]))["lesion"]["side"]
    page.get_by_role("button", name="Begin").nth(1).press("Enter")
    page.get_by_role("button", name="Next pair").press("Enter")
    assert "guess if you do not know" in page.get_by_role("alert").inner_text()
    for number, side in enumerate(sides):
        assert page.get_by_role("img", name="right slice").bounding_box()["width"] > 150
        rating = (4 if side else 1) if number < 16 else (2 if side else 3)
        page.locator(f"input[value='{rating}']").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
    shown = page.locator(".reader-panel").inner_text()
    assert "Your AUC: 0.80 (95 % interval 0.58 to 0.92). You were right in 16 of 20 pairs." in shown
    assert "First half: 10 right, second half: 6 right" in shown and "DeLong" in shown
    assert page.locator(".reader-list li").count() == 20 and page.locator(".reader-mark").count() == 40
    page.reload()
    page.get_by_role("button", name="See the result").press("Enter")
    assert json.loads(saved(page, "Save to a file"))["side"] == sides
