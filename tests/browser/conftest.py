"""Pages in a real browser; without one these tests are skipped."""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OUTPUT = Path(os.environ.get("VFSEARCH_TEST_OUTPUT") or Path(__file__).parents[2] / "test-output") / "screenshots"
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="session")
def browser():
    """Chromium, or a skip that says what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install '.[test]'")
    found = os.environ.get("VFSEARCH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("no Chromium was found: install it (apt-get install chromium), or name it with VFSEARCH_CHROMIUM")
    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        opened = started.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Opens a file; afterwards nothing was said on the console and no request has left the page."""
    pages, said, asked = [], [], []

    def call(path, size="desktop", scheme="light"):
        width, height = SIZES[size]
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: asked.append((path, request.url)))
        page.goto(path.as_uri())
        return page

    yield call
    for page in pages:
        page.close()
    assert said == []
    outside = [url for path, url in asked if not url.startswith(("data:", "blob:", path.parent.as_uri()))]
    assert outside == []


@pytest.fixture
def photograph(request):
    """Keeps a picture of what is seen, for people to look at."""

    def call(page, name):
        OUTPUT.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=OUTPUT / f"{name}.png")

    return call
