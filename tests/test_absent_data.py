"""A page says for which data trials wait, and what they are waiting beside."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting import report
from pipeline.running.jobs import Fetched, Job
from pipeline.running.journal import FINISHED, Record
from pipeline.study import Entries, Given, key
from tests import toy_study
from tests.reporting import text_of

THERE = {"served": "Numbers", "embedded": False, "sha256": "real"}
STAND_IN = {"served": "some digits", "embedded": True, "sha256": "stand-in"}
IN_VAIN = {"why": "no network"}


def page_of(root: Path, monkeypatch: pytest.MonkeyPatch, **data: dict[str, Any]) -> str:
    """Return the words of a page: one trial has run, two on each of the data sets have not."""
    monkeypatch.chdir(root)
    trials: list[Entries] = [
        {"kind": "plain", "seed": seed, "dataset": name} for name in data for seed in (0, 1)
    ]
    done: Entries = {"kind": "plain", "seed": 0}
    job = Job("toy", toy_study.STUDY, "quick", {key(trial): trial for trial in [*trials, done]}, {})
    vars(job)["data"] = {
        name: Fetched(name, said, said.get("sha256", ""), list, said.get("why", ""))
        for name, said in data.items()
    }
    rows = toy_study.STUDY.run(done, Given({}, root))
    code = job.prints.code(done)
    job.journal.append(
        Record("0" * 8, code, done, rows, FINISHED, "", 1e9, 2.0, {"torch": "2.13.0"}, {}), {}
    )
    return text_of((report.build(job, root) / "index.html").read_text(encoding="utf-8"))


def test_data_that_are_not_there_or_that_others_stand_in_for_are_told_with_who_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page = page_of(tmp_path, monkeypatch, here=THERE, gone=IN_VAIN, replaced=STAND_IN | IN_VAIN)
    told = "2 on gone, which could not be had; 2 on replaced, which could not be had"
    assert f"6 missing: 6 wait for a run ({told})" in page


def test_of_data_that_are_there_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = page_of(tmp_path, monkeypatch, here=THERE, unasked={}, quick=STAND_IN)
    assert "6 missing: 6 wait for a run;" in page
