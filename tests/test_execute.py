"""A run does what is not finished, nothing twice, and loses no trial to what goes wrong beside."""

import io
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.running import fingerprint

from pipeline.running import progress
from pipeline.errors import UserError
from pipeline.running.execute import run
from pipeline.running.jobs import Job, Source, state
from pipeline.params import Dispatch
from pipeline.running.tracking import Tracker
from pipeline.running.worker import Outcome, Task
from tests import toy_study

pytestmark = pytest.mark.filterwarnings(
    # MLflow 3.17 uses a loader strategy that SQLAlchemy 2.1 deprecates.
    "ignore:The ``noload`` loader strategy is deprecated"
)


def settings() -> Dispatch:
    return Dispatch(backend="inline", workers=1, cpus=1, gpus=0.0, retries=0)


def job(kinds: list[str], seeds: int, **data: Source) -> Job:
    section = toy_study.Params(kinds=kinds, seeds=seeds)
    study = toy_study.with_data(*data)
    return Job("toy", toy_study.__name__, study, "quick", section, data)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make MLflow's tables once: it takes a second."""
    path = tmp_path_factory.mktemp("schema") / "mlflow.db"
    Tracker(f"sqlite:///{path}")
    return path


@pytest.fixture
def console(schema: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    """Start in a folder without rows, and keep what is said."""
    shutil.copy(schema, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Console(file=io.StringIO(), width=200)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_finished_trials_are_skipped_and_failed_ones_are_tried_again(console: Console):
    inline = settings()
    assert len(run(job(["plain", "raises"], 2), inline, console)) == 4
    assert state(job(["plain", "raises"], 2)) == (4, 2, 2, 0)
    again = run(job(["plain", "raises"], 2), inline, console)
    assert {r.trial["kind"] for r in again} == {"raises"}
    more = run(job(["plain"], 3), inline, console)
    assert [r.trial["seed"] for r in more] == [2]
    assert "1 trials to run, 2 finished before" in said(console)
    forced = run(job(["plain"], 3), inline, console, force=True)
    assert len(forced) == 3


def test_a_new_version_makes_finished_trials_stale(
    console: Console, monkeypatch: pytest.MonkeyPatch
):
    run(job(["plain"], 2), settings(), console)
    monkeypatch.setattr(fingerprint, "versions", lambda: {"torch": "1.0"})
    assert state(job(["plain"], 2)) == (2, 0, 0, 2)


def test_trials_on_data_that_is_not_there_ask_for_a_fetch(console: Console):
    nothing = Source("", "", {}, list)
    with pytest.raises(UserError, match="numbers is not there: python -m pipeline fetch numbers"):
        run(job(["plain"], 1, numbers=nothing), settings(), console)


def test_a_tracking_server_that_is_gone_costs_no_trial(
    console: Console, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert len(run(job(["plain"], 3), settings(), console)) == 3
    assert state(job(["plain"], 3)).finished == 3
    assert said(console).count("MLflow at http://127.0.0.1:9") == 1


def test_progress_ends_with_a_plain_line_where_there_is_no_terminal(console: Console):
    run(job(["plain", "raises"], 2), settings(), console)
    assert "toy: 4/4 trials, 2 failed, 0 running, 0 s left\n" in said(console)


def test_progress_on_a_terminal_counts_what_is_done_failed_and_running():
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    tasks = [Task({"kind": kind}, "", (), frozenset(), None) for kind in ("a", "b", "c")]
    ended = [Outcome(t, [], "wrong" if t.trial["kind"] == "a" else "", 0.0, 0.0) for t in tasks]
    assert list(progress.shown(ended, "toy", 3, 2, screen)) == ended
    assert "3/3" in said(screen)
    assert "1 failed, 0 running" in said(screen)


def test_the_scratch_of_recorded_trials_is_gone(console: Console, tmp_path: Path):
    (record,) = run(job(["leaves"], 1), settings(), console)
    assert record.rows[0]["loss"] == 0.0
    assert not list((tmp_path / ".scratch").iterdir())
