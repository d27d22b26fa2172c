"""What a person sees: the MLflow UI and the report page of a small study, in a real browser."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipeline.reporting import overview
from pipeline.study import Part, Study, join
from tests.laboratory import Laboratory, wait_for
from tests.reporting import (
    DOC,
    FIGURES,
    FULL,
    NAME,
    SCALE,
    STAND_IN,
    TABLES,
    Forgetting,
    answer,
    built,
    expects,
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = [
    "--no-sandbox",  # continuous integration runs as root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
STUDY = '''"""Do curves fall?

Expected: they do.
"""

from pipeline.measuring.evidence import below
from pipeline.study import Figure, Part, Trial, single


class Falling(Trial):
    """A cell, by name alone."""

    cell: str
    seconds: float

    def measure(self, given):
        return [{"step": step, "loss": (1 + self.seed) / (1 + step)} for step in range(10)]


def expects(rows):
    last = rows[rows["step"] == 9].set_index("seed")["loss"]
    yield below("the loss falls", last, 0.5, expected=1)


CURVES = Figure(name="curves", title="Curves", caption="They fall.", x="step", y="loss", hue="cell")
STUDY = single(Part(__doc__, Falling, expects, figures=(CURVES,)))
'''
OF_PARTS = join(
    DOC,
    answer,
    drawn=Part(DOC, Forgetting, expects, FIGURES),
    printed=Part(DOC, Forgetting, expects, (replace(TABLES[0], title=FIGURES[0].title),)),
)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: install the package chromium"
)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    laboratory = Laboratory(tmp_path_factory.mktemp("laboratory"))
    (laboratory.folder / "pipeline" / "studies" / "toy.py").write_text(STUDY)
    laboratory.declare(["alpha", "beta"], 2)
    laboratory.run("run", "toy")
    return laboratory


@pytest.fixture(scope="module")
def ui(laboratory: Laboratory) -> Iterator[str]:
    """Serve the laboratory's runs on a free port of the loopback interface."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = laboratory.start("ui", "--port", str(port))
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/health"), seconds=90)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 3000})
    yield context.new_page()
    context.close()


def test_the_tracking_ui_shows_the_studys_runs_and_draws_their_curves(ui: str, page: Page):
    asked = f"{ui}/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=toy"
    with urllib.request.urlopen(asked) as response:
        experiment = json.load(response)["experiment"]["experiment_id"]
    page.goto(f"{ui}/#/experiments/{experiment}/runs?compareRunsMode=CHART")
    for run in ("alpha, seed 0", "alpha, seed 1", "beta, seed 0", "beta, seed 1"):
        expect(page.get_by_role("link", name=run)).to_be_visible(timeout=60_000)
    lines = page.locator(".js-plotly-plot path.js-line")
    expect(lines.nth(3)).to_be_attached(timeout=60_000)
    drawn = lines.evaluate_all("all => all.map(line => line.getAttribute('d'))")
    assert sum(path.count("L") >= 5 for path in drawn) >= 4, "one curve for each run"


def test_the_report_opens_offline_with_its_figures_and_no_console_error(
    laboratory: Laboratory, page: Page
):
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    reports = laboratory.folder / "reports" / "quick"
    page.goto((reports / "index.html").as_uri())
    page.get_by_role("link", name="Do curves fall?").first.click()
    expect(page.get_by_role("heading", name="Do curves fall?")).to_be_visible()
    expect(page.get_by_role("row", name="the loss falls")).to_contain_text("holds")
    chart = page.locator("#curves .chart")
    chart.scroll_into_view_if_needed()
    expect(chart.locator(".live svg")).to_be_visible(timeout=30_000)
    expect(chart.locator(".still")).to_be_hidden()
    # Of role-mark: the legend's symbols are marks as well.
    chart.locator(".live .role-mark.mark-symbol path").last.hover(force=True)
    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_contain_text("python -m pipeline run toy --scale quick")
    expect(tip).to_contain_text("least to most")
    assert not said
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_a_reader_without_scripts_sees_still_pictures_in_either_scheme(
    laboratory: Laboratory, browser: Browser
):
    report = (laboratory.folder / "reports" / "quick" / "toy" / "index.html").as_uri()
    papers = []
    for scheme in ("light", "dark"):
        context = browser.new_context(java_script_enabled=False, color_scheme=scheme)
        page = context.new_page()
        page.goto(report)
        still = page.locator("#curves .still svg")
        expect(still).to_be_visible()
        papers.append(still.screenshot())
        context.close()
    assert papers[0] != papers[1]


@pytest.mark.parametrize(
    ("study", "given"),
    [(FULL, {}), (OF_PARTS, {"lost": 1, "stale": 2, "data": STAND_IN})],
    ids=["whole", "of parts, with gaps and a stand-in"],
)
def test_axe_finds_nothing_wrong_with_any_page(
    tmp_path: Path, browser: Browser, study: Study, given: dict[str, Any]
):
    _, folder = built(tmp_path, study, **given)
    index = overview.build(SCALE, [NAME], tmp_path, {"torn": "SyntaxError"})
    pages = index, index.with_name("record.html"), folder / "index.html"
    found, charts = {}, 0
    for scheme, width in itertools.product(("light", "dark"), (1280, 390)):
        # So tall that every chart is in view, and drawn.
        size: Any = {"width": width, "height": 12_000}
        context = browser.new_context(viewport=size, color_scheme=scheme)
        for path in pages:
            page = context.new_page()
            page.goto(path.as_uri())
            page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
            charts = page.locator(".chart").count()
            expect(page.locator(".chart .live")).to_have_count(charts, timeout=30_000)
            faults = Axe().run(page)
            if faults.violations_count:
                found[path.name, scheme, width] = faults.generate_report()
        context.close()
    assert charts == len(FIGURES), "the last page is the study's"
    assert not found


def _answers(address: str) -> bool:
    """Tell whether a server answers."""
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as response:
        return response.status == 200
    return False
