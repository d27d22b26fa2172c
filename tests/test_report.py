"""Reports: what a page says, that it stands alone, and that it is the same when built again."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.running import journal as records

from pipeline.reporting import report
from pipeline.errors import UserError
from pipeline.study import Check, Study, join
from tests.reporting import (
    DOC,
    FIGURES,
    FULL,
    NAME,
    SCALE,
    STAND_IN,
    STUDY,
    Elements,
    Params,
    built,
    expects,
    measure,
    put,
    trials,
)  # fmt: skip

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return built(tmp_path_factory.mktemp("report"))


def test_a_report_built_again_is_the_same_byte_for_byte(tmp_path: Path):
    def content() -> dict[str, bytes]:
        files = (p for p in (tmp_path / "reports").rglob("*") if p.is_file())
        return {str(p.relative_to(tmp_path)): p.read_bytes() for p in files}

    built(tmp_path, FULL)
    report.index(SCALE, tmp_path, {NAME: FULL})
    before = content()
    (tmp_path / "reports" / SCALE / NAME / "figures" / "former.svg").write_text("gone by now")
    again = (
        "from pathlib import Path; from tests.reporting import *; "
        f"built(Path({str(tmp_path)!r}), FULL); "
        f"report.index(SCALE, Path({str(tmp_path)!r}), {{NAME: FULL}})"
    )
    # Another process, in which sets and names of objects come in another order.
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", again], check=True, env=environment, cwd=ROOT)
    assert content() == before
    assert len(before) == 3 * len(FIGURES) + 3


def test_a_page_asks_for_nothing_outside_itself(report_of: tuple[str, Path]):
    page = Elements(report_of[0])
    assert not page.all("script")
    assert not page.open, "every element is closed"
    for image in page.all("img") + page.all("source"):
        assert image.get("src", image.get("srcset", "")).startswith("data:image/svg+xml;base64,")
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert "url(" not in report_of[0]
    outside = {a["href"] for a in page.all("a") if a["href"].startswith("http")}
    assert outside == {"https://arxiv.org/abs/1234.56789"}
    ids = {attributes["id"] for _, attributes in page.found if "id" in attributes}
    for anchor in page.all("a"):
        target = anchor["href"]
        inside = target.startswith("#") and target[1:] in ids
        beside = (report_of[1] / target).exists() or target == "../index.html"
        assert inside or beside or target in outside, target


def test_a_missed_prediction_is_shown_as_missed(report_of: tuple[str, Path]):
    text = " ".join(Elements(report_of[0]).text.split())
    assert "1 of 2 predictions hold; ✗ 1 missed." in text
    assert "✗ depth does not matter (seen: 168000)" in text
    assert re.search(r"depth does not matter\d+✗ missed", text)
    assert re.search(r"values are positiveall✓ holds", text)


def test_the_head_says_what_was_asked_of_which_data_and_how_to_repeat_it(
    report_of: tuple[str, Path],
):
    text = Elements(report_of[0]).text
    assert "How fast does a network forget, & does <depth> matter?" in text
    assert "MNIST: 60,000 images" in " ".join(text.split())
    assert "dvc exp run -S scale=quick report@forgetting" in text
    assert "18 run, none failed; 36 s in all" in text
    assert "quick, 2 seeds" in text
    assert "torch 2.13.0" in text
    assert "studies.forgetting.quick.sizes" in text
    assert "⚠" not in text, "nothing to warn of"


def test_a_stand_in_for_the_data_is_announced_at_the_head(tmp_path: Path):
    page, folder = built(tmp_path, data=STAND_IN)
    assert "Not mnist: these figures come from scikit-learn&#39;s digits." in page
    assert page.index("Not mnist") < page.index("<h1>")
    assert "No address of MNIST could be reached" in page
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8"))["embedded"] == 1
    overview = report.index(SCALE, tmp_path, {NAME: STUDY}).read_text(encoding="utf-8")
    assert "Not mnist" in overview


def test_rows_of_other_code_are_announced_at_the_head(tmp_path: Path):
    page, folder = built(tmp_path, stale=5)
    assert "Rows from other code: 5 of 18 trials." in page
    assert page.index("Rows from other code") < page.index("<h1>")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["trials"] == {"run": 18, "failed": 0, "stale": 5}
    overview = report.index(SCALE, tmp_path, {NAME: STUDY}).read_text(encoding="utf-8")
    assert "Rows from other code: 5 of 18 trials." in overview


def test_failed_trials_are_listed_and_what_needs_them_is_shown_as_missed(tmp_path: Path):
    def needs_all(rows: pd.DataFrame) -> Iterator[Check]:
        yield Check("fast and slow differ", True)
        yield Check("fast ends", bool(rows.groupby("rule")["value"].max()["fast"] > 0))

    study = Study(DOC, Params, trials, measure, needs_all, FIGURES)
    page, _ = built(tmp_path, study, lost=6)
    text = " ".join(Elements(page).text.split())
    assert "6 of 18 trials are missing." in text
    assert "rule fast, size 10, deep False, seed 0WorkerCrashedError: <gone>" in text
    assert "fast and slow differ✓ holds" in text
    assert "not computable while trials are missing (KeyError: 'fast')✗ missed" in text


def test_a_study_that_cannot_read_its_own_complete_rows_is_an_error(tmp_path: Path):
    def wrong(rows: pd.DataFrame) -> Iterator[Check]:
        yield Check("no such column", bool(rows["nothing"].any()))

    with pytest.raises(KeyError, match="nothing"):
        built(tmp_path, Study(DOC, Params, trials, measure, wrong))


def test_the_parts_of_a_study_keep_their_rows_checks_and_figures_apart(tmp_path: Path):
    second = Study("Is it so again?\n", Params, trials, measure, expects, FIGURES[2:3])
    study = join(DOC, first=Study(None, Params, trials, measure, expects), second=second)
    page, folder = built(tmp_path, study)
    assert "Is it so again?" in page
    assert "2 of 4</b> predictions hold" in page
    assert [p.name for p in (folder / "plots").iterdir()] == ["plain.csv"]
    assert len(pd.read_csv(folder / "plots" / "plain.csv")) == 18 * 3 - 2


def test_the_summary_holds_finite_numbers_only(report_of: tuple[str, Path]):
    def numbers(value: Any) -> Iterator[float]:
        for inner in value.values():
            yield from numbers(inner) if isinstance(inner, dict) else [inner]

    summary = json.loads((report_of[1] / "summary.json").read_text(encoding="utf-8"))
    found = list(numbers(summary))
    assert all(isinstance(n, int | float) and math.isfinite(n) for n in found)
    assert summary["predictions"] == {"held": 1, "missed": 1}
    assert summary["holds"] == {"depth does not matter": 0, "values are positive": 1}
    assert set(summary["shown"]) == {"plain", "means"}
    assert summary["shown"]["means"]["fast"] == {"value": pytest.approx(1600 * 100 * 1.05)}


def test_the_index_shows_every_study_that_has_rows(tmp_path: Path):
    put(tmp_path)
    studies = {NAME: STUDY, "unrun": STUDY}
    page = report.index(SCALE, tmp_path, studies).read_text(encoding="utf-8")
    elements = Elements(page)
    assert not elements.open
    assert [a["href"] for a in elements.all("a")] == [f"{NAME}/index.html"]
    assert "1 of 2</b> predictions hold" in page
    assert "18 trials" in page
    assert len(elements.all("img")) == 1


def test_what_is_missing_is_said_with_the_command_that_makes_it(tmp_path: Path):
    with pytest.raises(UserError, match="python -m pipeline run forgetting"):
        report.build(NAME, SCALE, tmp_path, {NAME: STUDY})
    with pytest.raises(UserError, match="did you mean 'forgetting'"):
        report.build("forgeting", SCALE, tmp_path, {NAME: STUDY})
    with pytest.raises(UserError, match="dvc repro"):
        report.index(SCALE, tmp_path, {NAME: STUDY})
    path = records.parquet(NAME, SCALE, tmp_path / "rows")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"torn")
    with pytest.raises(UserError, match="make it again: python -m pipeline run forgetting"):
        report.build(NAME, SCALE, tmp_path, {NAME: STUDY})
