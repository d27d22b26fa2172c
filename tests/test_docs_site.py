"""The site as it is built: whole, opened from disk, usable by all."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect, sync_playwright

from docs.__main__ import WRITTEN, build

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--no-first-run"]
SHOWN = (
    "index.html",
    "studies.html",
    "methods/algorithms/uoro.html",
    "watch.html",
    "architecture.html",
    "zh/studies.html",
)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("zensical") is None,
    reason="zensical is not installed: python -m pip install -c constraints.txt -e '.[dev]'",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draft = tmp_path_factory.mktemp("site") / "draft"
    assert build(draft, draft / "site") == []
    return draft / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def test_the_site_opens_from_disk_without_the_network_and_finds_words(site: Path, browser: Browser):
    page, said, asked = browser.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "index.html").as_uri())
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    expect(page.locator("input:focus")).to_be_visible()
    page.keyboard.type("kronecker")
    expect(page.get_by_text("-factored RTRL: the influence").first).to_be_visible(timeout=20_000)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []
    page.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_axe_finds_nothing_wrong_with_the_pages(
    site: Path, browser: Browser, scheme: Literal["light", "dark"], width: int
):
    seen = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page, found = seen.new_page(), {}
    for shown in SHOWN:
        page.goto((site / shown).as_uri())
        page.wait_for_load_state("networkidle")
        results = Axe().run(page)
        if results.violations_count:
            found[shown] = results.generate_report()
    seen.close()
    assert not found, "\n".join(found.values())


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path):
    written = tmp_path / "pages"
    shutil.copytree(WRITTEN, written)
    with (written / "index.md").open("a", encoding="utf-8") as file:
        file.write("\n[nowhere](nowhere.md)\n")
    said = "\n".join(build(tmp_path / "draft", tmp_path / "draft" / "site", written))
    assert "page does not exist" in said
    assert "Traceback" not in said
