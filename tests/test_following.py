"""MLflow follows the journals beside a run, and neither slows it nor changes its result."""

import contextlib
import io
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.errors import UserError
from pipeline.running import following as module
from pipeline.running.following import following, track
from tests.laboratory import wait_for
from tests.recorded import job, measured
from tests.servers import black_hole, refusing

QUIET = Console(file=io.StringIO())
SCRIPT = """
import sys, time
from rich.console import Console
from pipeline.running.following import following
from tests.recorded import job, measured
of = job(150)
with following([of], Console(stderr=True)):
    measured(of, list(of.trials))
    print("measured", flush=True)
    time.sleep({pause})
print("over", flush=True)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def runs() -> Counter[str]:
    """Count the runs by status."""
    with contextlib.closing(sqlite3.connect("mlflow.db")) as database:
        return Counter(s for (s,) in database.execute("select status from runs"))


def lines(act: Callable[[Console], object]) -> list[str]:
    """Return what is said where there is no terminal."""
    said = io.StringIO()
    act(Console(file=said, force_terminal=False))
    return said.getvalue().splitlines()


def block(count: int = 3, seconds: float = 0.0) -> Callable[[Console], object]:
    """Return a run of so many new trials."""

    def act(console: Console) -> None:
        of = job(count)
        with following([of], console):
            measured(of, list(of.trials))
            time.sleep(seconds)

    return act


def test_what_a_run_measures_is_logged_when_its_block_ends():
    assert lines(block()) == []
    assert runs() == {"FINISHED": 3}


def test_logging_starts_while_the_run_goes_on():
    of = job()
    with following([of], QUIET):
        measured(of, list(of.trials)[:2])
        wait_for(lambda: Path("mlflow.db").exists() and _whole() == 2)
        measured(of, list(of.trials)[2:4])
        wait_for(lambda: _whole() == 4)
        of.journal.compact()
        measured(of, list(of.trials)[4:])
    assert runs() == {"FINISHED": 6}


def _whole() -> int:
    try:
        return runs()["FINISHED"]
    except sqlite3.OperationalError:
        return 0


def test_a_run_with_nothing_to_do_waits_for_nothing():
    of = job()
    measured(of, list(of.trials))
    start = time.monotonic()
    assert lines(lambda console: _nothing(console)) == []
    assert time.monotonic() - start < 1
    assert not Path("mlflow.db").exists()


def _nothing(console: Console) -> None:
    with following([job()], console):
        pass


def test_what_was_finished_before_is_logged_as_well_and_track_logs_it_all():
    of = job()
    measured(of, list(of.trials)[:3])
    with following([of], QUIET):
        measured(of, list(of.trials)[3:])
    assert runs() == {"FINISHED": 6}
    Path("mlflow.db").unlink()
    for rest in Path().glob("mlflow.db-*"):
        rest.unlink()
    assert track([of], QUIET) == {"toss": 6}
    assert track([of], QUIET) == {"toss": 0}
    assert runs() == {"FINISHED": 6}


def test_how_far_it_is_is_said_in_plain_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "EVERY", 0.3)
    said = lines(block(60))
    assert said
    assert all(re.fullmatch(r"MLflow: \d+ runs logged, \d+ left, \d+ s left", x) for x in said)


@pytest.mark.parametrize("kind", ["down", "hung", "a folder", "none"])
def test_a_store_that_fails_costs_one_line_and_seconds(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with black_hole() as hung:
        uri = {"down": refusing(), "hung": hung, "a folder": f"sqlite:///{tmp_path}"}
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.get(kind, "nosuch://lab:hunter2@host"))
        start = time.monotonic()
        (line,) = lines(block())
    assert time.monotonic() - start < 30  # of which all but five import MLflow
    assert line.startswith("MLflow at ")
    assert line.endswith("; `python -m pipeline track` catches up")
    assert "hunter2" not in line
    assert len(job().journal.read().records) == 3
    with pytest.raises(UserError, match="MLflow at "):
        track([job()], QUIET)


def test_a_process_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    (line,) = lines(block())
    assert line.startswith("MLflow: no answer within 0 s")


def start(pause: float) -> subprocess.Popen[str]:
    """Start a run of 150 trials that lasts so much longer than its measuring."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(pause=pause)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_ctrl_c_ends_the_catching_up_within_seconds_and_the_run_is_whole():
    run = start(0)
    wait_for(lambda: Path("mlflow.db").exists() and _whole() > 5)
    began = time.monotonic()
    os.kill(run.pid, signal.SIGINT)
    printed, _ = run.communicate(timeout=30)
    assert time.monotonic() - began < 4
    assert run.returncode == 0, printed
    assert "Traceback" not in printed
    assert printed.splitlines()[-2:] == [
        "MLflow: interrupted; trials are kept; `python -m pipeline track` catches up",
        "over",
    ]


def test_it_ends_with_a_driver_that_is_killed_and_the_next_one_logs_the_rest_once():
    run = start(60)
    wait_for(lambda: Path("mlflow.db").exists() and _whole() > 5)
    run.kill()
    run.communicate()
    time.sleep(3)
    count = runs().total()
    time.sleep(1)
    assert runs().total() == count < 150
    of = job(150)
    assert track([of], QUIET)["toss"] >= 150 - count
    assert runs()["FINISHED"] == 150
    assert runs()["RUNNING"] == 0
    assert track([of], QUIET) == {"toss": 0}


def test_two_processes_of_one_checkout_do_not_log_one_journal_twice():
    of = job()
    with following([of], QUIET):
        measured(of, list(of.trials))
        wait_for(lambda: Path("mlflow.db").exists() and _whole() > 0)
        with pytest.raises(UserError, match="being logged by another process"):
            track([of], QUIET)
    assert runs() == {"FINISHED": 6}
