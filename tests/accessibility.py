"""axe-core in a page of the site: what it finds against WCAG 2.2 A and AA, and against good practice.

Both themes at 1280 px and one at 390 px. Each run takes the rules whose answer can differ there: colours do
not depend on the width, and nothing but colours depends on the theme.
"""

from axe_playwright_python.base import AXE_SCRIPT

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = ("moderate", "serious", "critical")
COLOURS = ("color-contrast", "link-in-text-block")
WIDE, NARROW = 1280, 390

# A token of code has the colours of its class wherever it stands: of each kind one per page stays an element.
# There are up to 8,000 on a page, and the contrast of each takes axe milliseconds.
MERGE_TOKENS = """() => {
  const seen = new Set();
  for (const token of document.querySelectorAll("pre span[class]")) {
    const box = token.closest("pre").parentNode;
    const around = [token.parentNode, box, box.parentNode].map(e => e.className);
    const kind = [token.className, ...around].join("|");
    if (seen.has(kind)) token.replaceWith(...token.childNodes);
    seen.add(kind);
  }
  document.querySelectorAll("pre").forEach(text => text.normalize());
}"""
RUN = """([within, runOnly, rules]) => axe.run(within,
  {runOnly, rules, preload: false, resultTypes: ["violations"]})"""


def set_width(page, width):
    """Change the width, and wait until the page is drawn anew: its scripts have seen the change by then."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def set_theme(page, theme):
    page.evaluate("t => { document.documentElement.dataset.theme = t }", theme)


def axe_faults(page):
    """What axe finds in both themes at 1280 px and in one at 390 px, hints and solutions unfolded."""
    page.evaluate(AXE_SCRIPT)
    page.evaluate("() => document.querySelectorAll('article details').forEach(d => { d.open = true })")
    page.evaluate(MERGE_TOKENS)
    set_width(page, WIDE)
    said = in_theme(page, "light", {"type": "tag", "values": TAGS})
    said += in_theme(page, "dark", {"type": "rule", "values": COLOURS})
    set_width(page, NARROW)
    return said + in_theme(page, "light", {"type": "tag", "values": TAGS}, without=COLOURS)


def in_theme(page, theme, only, without=(), within="html"):
    """The violations of one run of axe in one theme, in words."""
    set_theme(page, theme)
    found = page.evaluate(RUN, [within, only, {rule: {"enabled": False} for rule in without}])["violations"]
    where = f"{theme}, {page.viewport_size['width']} px"
    return [f"{where}: {v['id']} ({v['impact']}): {reason(node)}"
            for v in found if v["impact"] in GRAVE for node in v["nodes"]]


def reason(node):
    """Why an element fails, and which it is."""
    messages = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return f"{messages[0] if messages else ''} {node['target']} {node['html'][:150]}"
