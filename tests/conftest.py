"""What the tests of the built site share: a server, a headless Chromium without a network, and a visit."""

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "tools"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that prints nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address():
    """http://127.0.0.1:PORT of the built site."""
    assert (SITE / "book" / "index.html").is_file(), "the site is not built; run `make book`"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright
    from test import CHROMIUM  # here, since most tests need neither tools/ nor a browser

    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "no Chromium was found; install the package chromium"
    nothing = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=["--no-sandbox", nothing])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def context(browser):
    """One context for all pages, so that MathJax is read once."""
    context = browser.new_context(reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def visit(context):
    """visit(url) opens a page and returns (page, what went wrong until now and from now on)."""
    pages = []

    def go(url):
        page, wrong = context.new_page(), []
        pages.append(page)
        origin = url.split("/", 3)[2]

        def inspect(request):
            if request.url.split("/", 3)[2] != origin and not request.url.startswith(("data:", "blob:")):
                wrong.append(f"foreign request: {request.url}")

        page.on("request", inspect)
        page.on("console", lambda m: wrong.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda e: wrong.append(f"script error: {e}"))
        page.on("requestfailed", lambda r: wrong.append(f"failed: {r.url}"))
        page.on("response", lambda r: wrong.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.goto(url, wait_until="load", timeout=60_000)
        return page, wrong

    yield go
    for page in pages:
        page.close()
