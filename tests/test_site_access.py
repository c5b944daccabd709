"""Who has no mouse, prefers no motion, reads in the dark or on paper: the site, used that way."""

import accessibility
import pytest

pytestmark = pytest.mark.site
CHAPTER = "notebooks/2_sampling_and_conditioning/04_guidance"

PLANTED = {
    "image-alt": "document.querySelector('article img').removeAttribute('alt')",
    "html-has-lang": "document.documentElement.removeAttribute('lang')",
    "label": "article.insertAdjacentHTML('beforeend', '<input type=text>')",
    "target-size": "article.insertAdjacentHTML('beforeend',"
                   " '<button style=\"width:9px;height:9px;padding:0\" aria-label=a></button>'.repeat(2))",
    "link-in-text-block": "article.insertAdjacentHTML('beforeend', '<p>Words and words <a href=\"#\""
                          " style=\"text-decoration:none;color:#345\">words</a> and words.</p>')",
    "color-contrast": "article.insertAdjacentHTML('beforeend',"
                      " '<p style=\"color:#777;background:#888\">pale text</p>')",
    "summary-name": "document.querySelector('article details summary').textContent = ''",
    "heading-order": "article.insertAdjacentHTML('beforeend', '<h2>two</h2><h5>five</h5>')",
}
STOP = """() => {
  const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
  const x = Math.min(Math.max(r.left + Math.min(r.width, 20) / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(r.top + Math.min(r.height, 20) / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  return {
    tag: e.tagName.toLowerCase(), text: (e.getAttribute("aria-label") || e.textContent).trim().slice(0, 40),
    kind: e.closest(".film") ? "film" : e.className,
    framed: parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== "none" || s.boxShadow !== "none",
    free: !!top && (e.contains(top) || top.contains(e)),
    inside: r.width > 0 && r.bottom > 0 && r.top < innerHeight,
  };
}"""


@pytest.fixture
def chapter(visit, address):
    page, _ = visit(f"{address}/{CHAPTER}.html")
    page.evaluate("async () => { await window.MathJax?.startup?.promise }")
    accessibility.set_width(page, accessibility.WIDE)
    return page


def test_axe_reports_what_is_planted(chapter):
    """Each planted fault is found, contrast in both themes: a silent axe cannot pass for a clean page."""
    for script in PLANTED.values():
        chapter.evaluate(f"() => {{ const article = document.querySelector('article'); {script} }}")
    said = accessibility.axe_faults(chapter)
    assert {rule for rule in PLANTED if not any(f": {rule} (" in fault for fault in said)} == set()
    for theme in ("light", "dark"):
        assert any(fault.startswith(f"{theme}, 1280 px: color-contrast") for fault in said)
    assert any(fault.startswith("light, 390 px: target-size") for fault in said)


def test_axe_reads_each_kind_of_code_token(chapter):
    """Merged tokens hide no fault: a colour that fails is found on a keyword, a comment and a string."""
    kinds = ("k", "c1", "s2")
    for kind in kinds:
        style = f"html[data-theme] pre span.{kind} {{ color: #888 !important; background: #999 }}"
        chapter.add_style_tag(content=style)
    chapter.evaluate(accessibility.AXE_SCRIPT)
    chapter.evaluate(accessibility.MERGE_TOKENS)
    only = {"type": "rule", "values": ["color-contrast"]}
    said = accessibility.in_theme(chapter, "dark", only, within="article")
    assert [k for k in kinds if not any(f'<span class="{k}">' in fault for fault in said)] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "button", "opened"), [
    (1280, ".bd-sidebar-primary .search-button-field", "#pst-search-dialog"),
    (390, ".bd-header-article .primary-toggle", "#pst-primary-sidebar-modal"),
    (390, ".bd-header-article .secondary-toggle", "#pst-secondary-sidebar-modal"),
])
def test_dialogs(chapter, theme, width, button, opened):
    """The search box and the side bars of a phone: axe finds nothing, and Escape closes them."""
    accessibility.set_width(chapter, width)
    accessibility.set_theme(chapter, theme)
    chapter.locator(button).first.click(timeout=5_000)
    assert chapter.locator(f"{opened}[open]").count() == 1
    chapter.evaluate(accessibility.AXE_SCRIPT)
    chapter.evaluate(accessibility.MERGE_TOKENS)
    only = {"type": "tag", "values": accessibility.TAGS}
    assert accessibility.in_theme(chapter, theme, only, within=opened) == []
    chapter.keyboard.press("Escape")
    assert chapter.locator(f"{opened}[open]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_walk_by_keyboard(chapter, theme):
    """Tab leads from the skip link to slider, code and hint; the focus is framed, in sight, never trapped."""
    accessibility.set_theme(chapter, theme)
    chapter.keyboard.press("Tab")
    assert chapter.evaluate(STOP)["text"] == "Skip to main content"
    chapter.keyboard.press("Enter")
    stops = []
    for _ in range(400):
        chapter.keyboard.press("Tab")
        stops.append(chapter.evaluate(STOP))
        if stops[-1]["tag"] == "body":
            break
    assert stops[-1]["tag"] == "body", "the focus never left the page"
    hidden = [s for s in stops[:-1] if not (s["framed"] and s["free"] and s["inside"])]
    assert hidden == []
    assert any(s["kind"] == "film" for s in stops)
    assert any(s["tag"] == "summary" and s["text"] == "Hint" for s in stops)
    assert any("wider than the page" in s["text"] for s in stops)


def test_hint_and_search_by_keyboard(chapter):
    """Enter unfolds a hint and folds it again; Ctrl+K opens the search, Enter searches, and back again."""
    hint = chapter.locator("article summary", has_text="Hint").first
    hint.focus()
    chapter.keyboard.press("Enter")
    assert hint.evaluate("s => s.parentNode.open")
    chapter.keyboard.press("Enter")
    assert not hint.evaluate("s => s.parentNode.open")
    chapter.keyboard.press("Control+k")
    chapter.keyboard.type("denoiser")
    chapter.keyboard.press("Enter")
    chapter.wait_for_url("**/search.html*")
    chapter.locator("#search-results li").first.wait_for(timeout=60_000)
    chapter.go_back()
    assert chapter.url.endswith(f"{CHAPTER}.html")


@pytest.mark.parametrize("name", ["book/index", CHAPTER])
def test_nothing_moves_for_who_prefers_none(visit, address, name):
    """With reduced motion no film plays and nothing is animated, not even a change of theme."""
    page, _ = visit(f"{address}/{name}.html")
    where = "() => [...document.querySelectorAll('.film img')].map(i => i.style.transform)"
    before = page.evaluate(where)
    assert before
    page.wait_for_timeout(1000)
    assert page.evaluate(where) == before
    accessibility.set_theme(page, "dark")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.getAnimations().length") == 0


def test_print(chapter):
    """On paper: text over the whole width, hints unfolded, nothing cut, black on white from either theme."""
    accessibility.set_theme(chapter, "dark")
    chapter.set_viewport_size({"width": 718, "height": 1000})
    chapter.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    chapter.emulate_media(media="print")
    for gone in ("#pst-primary-sidebar", ".bd-sidebar-secondary", ".bd-header-article", ".film-slider"):
        assert chapter.locator(gone).first.is_hidden(), gone
    assert chapter.evaluate("() => document.querySelectorAll('article details:not([open])').length") == 0
    cut = """() => [...document.querySelectorAll("article :is(pre, img, mjx-container, table)")]
      .filter(e => !e.closest(".film") && e.getBoundingClientRect().right > innerWidth + 1)
      .map(e => e.outerHTML.slice(0, 120))"""
    assert chapter.evaluate(cut) == []
    assert chapter.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    chapter.emulate_media(media="screen")
    chapter.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    assert chapter.evaluate("() => document.documentElement.dataset.theme") == "dark"


def test_figures_keep_their_greys_in_the_dark(chapter):
    """The dark theme may dim a figure, which stands on white; it adds no contrast and inverts nothing."""
    accessibility.set_theme(chapter, "dark")
    styles = chapter.evaluate("""() => [...document.querySelectorAll(".cell_output img")].map(i => {
      const s = getComputedStyle(i); return [s.filter, i.closest(".film") ? "film" : s.backgroundColor] })""")
    assert styles
    assert {filters for filters, _ in styles} == {"brightness(0.88)"}
    assert {background for _, background in styles} <= {"film", "rgb(255, 255, 255)"}
