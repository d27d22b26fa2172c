"""MLflow holds each record once, whole, whatever was killed and however often it is synced.

Above 300 lines because each way in which a store can fail has its line here.
"""

import contextlib
import dataclasses
import gzip
import hashlib
import inspect
import json
import math
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from mlflow import MlflowClient
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from pipeline.errors import UserError
from pipeline.running.browsing import About
from pipeline.running.journal import Record, fact
from pipeline.running.tracking import Tracker, without_secrets
from pipeline.study import Row
from tests import recorded
from tests.laboratory import ROOT
from tests.servers import black_hole, refusing

pytestmark = pytest.mark.filterwarnings(
    # MLflow 3.17 uses a loader strategy that SQLAlchemy 2.1 deprecates.
    "ignore:The ``noload`` loader strategy is deprecated"
)


def record(seed: int, rows: list[Row] | None = None, error: str = "") -> Record:
    trial = {"cell": "gru", "rate": None, "dataset": "mnist", "seed": seed}
    return recorded.record(trial, rows, error=error, embedded=True)[0]


FACTS = recorded.code() | recorded.served(embedded=True)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tables once: it takes a second."""
    path = tmp_path_factory.mktemp("schema") / "mlflow.db"
    Tracker(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def uri(schema: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    shutil.copy(schema, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def runs(uri: str) -> list[Any]:
    client = MlflowClient(uri)
    ids = [e.experiment_id for e in client.search_experiments() if e.name == "study"]
    return list(client.search_runs(ids, order_by=["tags.trial"]))


def test_a_record_becomes_a_flat_run_with_its_tags_parameters_times_and_curves(uri: str):
    assert Tracker(uri).sync("study", "quick", [record(3)], FACTS) == 1
    (run,) = runs(uri)
    assert run.info.status == "FINISHED"
    assert run.info.start_time == 1_700_000_000_250
    assert run.info.end_time == 1_700_000_002_750
    assert run.data.params == {"cell": "gru", "dataset": "mnist", "seed": "3"}
    expected = {"study": "study", "scale": "quick", "trial": record(3).hash, "seed": "3"}
    expected |= {"data": "mnist", "data.served": "digits", "data.embedded": "true"}
    expected |= {"code": record(3).code[:8], "version.torch": "2.13.0", "diverged": "false"}
    assert expected.items() <= run.data.tags.items()
    assert "mlflow.parentRunId" not in run.data.tags
    curve = MlflowClient(uri).get_metric_history(run.info.run_id, "Learning/loss")
    assert [(m.step, m.value) for m in curve] == [(1, 1.0), (5, 0.2), (9, 1 / 9)]


def test_syncing_again_adds_nothing_in_this_process_or_another(uri: str):
    tracker = Tracker(uri)
    assert tracker.sync("study", "quick", [record(0), record(1)], FACTS) == 2
    assert tracker.sync("study", "quick", [record(0), record(1)], FACTS) == 0
    assert Tracker(uri).sync("study", "quick", [record(0), record(1), record(2)], FACTS) == 1
    assert len(runs(uri)) == 3


@pytest.mark.parametrize(
    ("holder", "call"),
    [
        (LocalArtifactRepository, "log_artifact"),
        (MlflowClient, "log_batch"),
        (MlflowClient, "set_terminated"),
    ],
)
def test_what_a_kill_left_running_is_closed_and_logged_anew(
    uri: str, holder: type, call: str, monkeypatch: pytest.MonkeyPatch
):
    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(holder, call, killed)
        with pytest.raises(SystemExit):
            Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    assert [r.info.status for r in runs(uri)] == ["RUNNING"]
    assert Tracker(uri).sync("study", "quick", [record(0)], FACTS) == 1
    assert sorted(r.info.status for r in runs(uri)) == ["FINISHED", "KILLED"]
    assert Tracker(uri).sync("study", "quick", [record(0)], FACTS) == 0


def test_records_may_come_in_any_order(uri: str):
    early = dataclasses.replace(record(1), started=1.0)
    Tracker(uri).sync("study", "quick", [early, record(0)], FACTS)
    tracker = Tracker(uri)
    assert tracker.sync("study", "quick", [record(0)], FACTS) == 0
    assert tracker.sync("study", "quick", [early], FACTS) == 0


def test_what_another_machine_is_writing_is_left_alone(uri: str):
    Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    client, (own,) = MlflowClient(uri), runs(uri)
    tags = own.data.tags | {"driver": "elsewhere:/home", "record": "other"}
    other = client.create_run(own.info.experiment_id, tags=tags)
    Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    assert client.get_run(other.info.run_id).info.status == "RUNNING"


def test_values_that_are_not_finite_become_a_tag_and_finite_ones_stay(uri: str):
    rows = [{"step": 0, "loss": 1.0}, {"step": 1, "loss": math.nan}, {"step": 2, "loss": math.inf}]
    Tracker(uri).sync("study", "quick", [record(0, rows)], FACTS)
    (run,) = runs(uri)
    assert run.data.tags["diverged"] == "true"
    assert run.data.metrics["Learning/loss"] == 1.0


def test_a_trial_that_says_it_diverged_is_tagged(uri: str):
    Tracker(uri).sync(
        "study", "quick", [record(0, [{"step": 0, "loss": None, "diverged": True}])], FACTS
    )
    assert runs(uri)[0].data.tags["diverged"] == "true"


def test_more_metrics_than_a_call_may_hold_all_arrive_in_calls_that_may(
    uri: str, monkeypatch: pytest.MonkeyPatch
):
    sizes, log_batch = [], MlflowClient.log_batch

    def counted(self: Any, run_id: str, metrics: Any = (), params: Any = ()) -> None:
        sizes.append(len(metrics) + len(params))
        log_batch(self, run_id, metrics, params)

    monkeypatch.setattr(MlflowClient, "log_batch", counted)
    rows = [{"step": step, "loss": float(step), "other": 0.0} for step in range(1200)]
    Tracker(uri).sync("study", "quick", [record(0, rows)], FACTS)
    (run,) = runs(uri)
    assert max(sizes) <= 1000
    history = MlflowClient(uri).get_metric_history(run.info.run_id, "Learning/loss")
    assert len(history) == 1200


def test_a_failed_trial_is_a_failed_run_that_says_why(uri: str):
    Tracker(uri).sync("study", "quick", [record(0, [], "ValueError: no (study.py:3)")], FACTS)
    (run,) = runs(uri)
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == "ValueError: no (study.py:3)"


def test_a_trial_run_again_gets_a_run_of_its_own(uri: str):
    again = dataclasses.replace(record(0), started=1_800_000_000.0)
    Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    assert Tracker(uri).sync("study", "quick", [again], FACTS) == 1
    assert len(runs(uri)) == 2


def test_a_report_replaces_the_one_before_it(uri: str, tmp_path: Path):
    folder = tmp_path / "page"
    for name in ("old.svg", "new.svg"):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "figures").mkdir(parents=True)
        (folder / "figures" / name).write_text("<svg/>")
        Tracker(uri).attach("study", "quick", folder)
    (run,) = runs(uri)
    assert run.info.status == "FINISHED"
    files = [f.path for f in MlflowClient(uri).list_artifacts(run.info.run_id, "figures")]
    assert files == ["figures/new.svg"]
    kept = [p.name for p in (tmp_path / "mlartifacts").rglob("*.svg")]
    assert kept == ["new.svg"]


NOTE = "mlflow.note.content"
TOLD = About(
    "Who remembers?",
    {"memory": "Who remembers longest?"},
    {"": ["cell"], "memory": ["cell"]},
    "python -m pipeline run study --scale quick",
    "reports/quick/study/index.html",
)


def experiment(uri: str) -> Any:
    return MlflowClient(uri).get_experiment_by_name("study")


def test_a_run_is_named_by_what_varies_and_says_its_part_its_page_and_its_command(uri: str):
    of = record(3)
    told = dataclasses.replace(of, trial={**of.trial, "part": "memory"})
    Tracker(uri).sync("study", "quick", [told], FACTS, TOLD)
    (run,) = runs(uri)
    assert run.info.run_name == "memory, gru, seed 3"
    assert (run.data.tags["part"], run.data.tags["page"]) == ("memory", TOLD.page)
    for said in ("Who remembers longest?", f"`{TOLD.page}#part-memory`", f"`{TOLD.command}`"):
        assert said in run.data.tags[NOTE]


def test_an_experiment_says_its_question_its_page_and_its_command(uri: str):
    Tracker(uri).sync("study", "quick", [record(0)], FACTS, TOLD)
    note = experiment(uri).tags[NOTE]
    assert note == f"**Who remembers?**\n\nPage: `{TOLD.page}`.\n\nRun by `{TOLD.command}`."


def test_an_experiment_that_was_made_without_a_description_gets_one_and_another_is_kept(
    uri: str, tmp_path: Path
):
    Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    assert NOTE not in experiment(uri).tags
    Tracker(uri).sync("study", "quick", [record(0)], FACTS, TOLD)
    assert experiment(uri).tags[NOTE].startswith("**Who remembers?**")
    MlflowClient(uri).set_experiment_tag(experiment(uri).experiment_id, NOTE, "my own words")
    Tracker(uri).sync("study", "quick", [record(1)], FACTS, TOLD)
    (tmp_path / "page").mkdir()
    Tracker(uri).attach("study", "quick", tmp_path / "page", TOLD, "An LSTM.")
    assert experiment(uri).tags[NOTE] == "my own words"


def test_what_is_called_otherwise_is_not_logged_again(uri: str):
    Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    assert Tracker(uri).sync("study", "quick", [record(0)], FACTS, TOLD) == 0
    assert len(runs(uri)) == 1


def test_a_report_gives_its_experiment_the_answer_and_a_link_to_the_page(uri: str, tmp_path: Path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<p>Answered.</p>")
    for scale in ("quick", "standard"):
        Tracker(uri).attach("study", scale, tmp_path / "page", TOLD, f"An LSTM ({scale}).")
    found = {run.data.tags["scale"]: run for run in runs(uri)}
    assert found["quick"].data.tags["page"] == TOLD.page
    note = experiment(uri).tags[NOTE]
    assert note.startswith("**Who remembers?**")
    for scale, run in found.items():
        assert f"At scale {scale}: An LSTM ({scale})." in note
        place = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
        assert f"({place}/artifacts/index.html)" in note


def test_a_run_keeps_its_whole_record_and_the_facts_that_it_names(uri: str):
    one = record(0, [{"step": 0, "loss": math.nan, "label": "a"}])
    Tracker(uri).sync("study", "quick", [one], FACTS | fact("of another"))
    (run,) = runs(uri)
    path = MlflowClient(uri).download_artifacts(run.info.run_id, "record.json.gz")
    content = gzip.decompress(Path(path).read_bytes())
    assert run.data.tags["digest"] == hashlib.sha256(content).hexdigest()
    whole = json.loads(content)
    assert (whole["study"], whole["scale"], whole["facts"]) == ("study", "quick", FACTS)
    again = Record.of(whole["record"])
    assert (again.id, again.trial, repr(again.rows)) == (one.id, one.trial, repr(one.rows))


def test_a_run_takes_three_calls(uri: str, monkeypatch: pytest.MonkeyPatch):
    tracker = Tracker(uri)
    tracker.sync("study", "quick", [record(0)], FACTS)
    calls = []
    store = type(tracker._client._tracking_client.store)
    for name, function in inspect.getmembers(store, inspect.isfunction):
        if not name.startswith("_") and name not in ("shut_down_async_logging", "get_run_name"):
            monkeypatch.setattr(store, name, _counted(calls, name, function))
    tracker.sync("study", "quick", [record(1)], FACTS)
    assert calls == ["create_run", "log_batch", "update_run_info"]


def _counted(calls: list[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, which notes that it was called from outside of the store."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if "sqlalchemy_store" not in sys._getframe(1).f_code.co_filename:
            calls.append(name)
        return function(*args, **kwargs)

    return call


def refused(uri: str) -> str:
    """Return the one line that comes of it, within seconds."""
    start = time.monotonic()
    with pytest.raises(UserError) as caught:
        Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    assert time.monotonic() - start < 12
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert line.startswith("MLflow at ")
    return line


def test_a_store_that_is_none_is_one_line(tmp_path: Path):
    (tmp_path / "notes.db").write_text("some notes, and no database at all\n" * 50)
    assert "file is not a database" in refused(f"sqlite:///{tmp_path / 'notes.db'}")
    assert "it is a folder" in refused(f"sqlite:///{tmp_path}")
    assert "nosuch" in refused("nosuch://place")
    assert refused(str(tmp_path))


def test_a_store_of_another_version_is_one_line_that_says_what_to_do(uri: str, tmp_path: Path):
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    copy = tmp_path / "other.db"  # MLflow keeps what it has opened open
    shutil.copy(tmp_path / "mlflow.db", copy)
    assert "mlflow db upgrade" in refused(f"sqlite:///{copy}")


KILLED_ON_THE_WAY = """
import os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from pipeline.running.tracking import Tracker

@event.listens_for(Engine, "before_cursor_execute")
def die(connection, cursor, statement, *others):
    if "DROP TABLE experiments" in statement:  # a copy of it is there, which can't be made twice
        os._exit(9)

Tracker(sys.argv[1])
"""


def test_a_kill_while_a_store_is_made_leaves_one_that_the_next_makes(tmp_path: Path):
    new = f"sqlite:///{tmp_path / 'mlflow.db'}"
    killed = subprocess.run([sys.executable, "-c", KILLED_ON_THE_WAY, new], cwd=ROOT, check=False)
    assert killed.returncode == 9
    assert Tracker(new).sync("study", "quick", [record(0)], FACTS) == 1


def test_a_store_that_another_holds_is_one_line(uri: str, tmp_path: Path):
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert "locked" in refused(uri)


def test_an_experiment_that_was_deleted_is_one_line_that_says_how_to_have_it_back(uri: str):
    Tracker(uri).sync("study", "quick", [record(0)], FACTS)
    client = MlflowClient(uri)
    client.delete_experiment(runs(uri)[0].info.experiment_id)
    assert "mlflow experiments restore --experiment-id 1" in refused(uri)


def test_a_server_that_does_not_answer_is_one_line():
    assert "refused" in refused(refusing())
    with black_hole() as address:
        assert "timed out" in refused(address)


@pytest.mark.parametrize("password", ["hunter2", "p@ss:w/rd", "p%40ss%3Aword"])
def test_no_password_is_ever_printed(password: str, monkeypatch: pytest.MonkeyPatch):
    line = refused(f"http://lab:{password}@{refusing().removeprefix('http://')}")
    assert not any(part in line for part in (password, unquote(password), password[2:], "lab:"))
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "s3cret")
    text = f"asked postgresql://lab:{password}@host/db?password=s3cret1; Bearer s3cret"
    shown = without_secrets(text, f"postgresql://lab:{password}@host/db")
    assert shown == "asked postgresql://host/db?password=…; Bearer …"
