"""MLflow holds each record once, whole, whatever was killed and however often it is synced."""

import dataclasses
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from pipeline.errors import UserError
from pipeline.running.journal import Record
from pipeline.running.tracking import Tracker

pytestmark = pytest.mark.filterwarnings(
    # MLflow 3.17 uses a loader strategy that SQLAlchemy 2.1 deprecates.
    "ignore:The ``noload`` loader strategy is deprecated"
)
CURVE = [{"step": step, "loss": 1 / step, "label": "a"} for step in (1, 5, 9)]


def record(seed: int, rows: list[dict[str, Any]] | None = None, error: str = "") -> Record:
    return Record(
        hash=f"hash{seed}",
        code="0123456789abcdef",
        trial={"cell": "gru", "rate": None, "seed": seed},
        rows=CURVE if rows is None else rows,
        status="failed" if error else "finished",
        error=error,
        started=1_700_000_000.25,
        seconds=2.5,
        versions={"torch": "2.13.0"},
        data={"mnist": "digits"},
    )


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tables once: it takes a second."""
    path = tmp_path_factory.mktemp("schema") / "mlflow.db"
    Tracker(f"sqlite:///{path}")
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
    assert Tracker(uri).sync("study", "quick", [record(3)]) == 1
    (run,) = runs(uri)
    assert run.info.status == "FINISHED"
    assert run.info.start_time == 1_700_000_000_250
    assert run.info.end_time == 1_700_000_002_750
    assert run.data.params == {"cell": "gru", "rate": "None", "seed": "3"}
    expected = {"study": "study", "scale": "quick", "trial": "hash3", "seed": "3"}
    expected |= {"data": "mnist", "data.served": "digits", "data.embedded": "true"}
    expected |= {"code": "01234567", "version.torch": "2.13.0", "diverged": "false"}
    assert expected.items() <= run.data.tags.items()
    assert "mlflow.parentRunId" not in run.data.tags
    curve = MlflowClient(uri).get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.value) for m in curve] == [(1, 1.0), (5, 0.2), (9, 1 / 9)]


def test_syncing_again_adds_nothing_in_this_process_or_another(uri: str):
    tracker = Tracker(uri)
    assert tracker.sync("study", "quick", [record(0), record(1)]) == 2
    assert tracker.sync("study", "quick", [record(0), record(1)]) == 0
    assert Tracker(uri).sync("study", "quick", [record(0), record(1), record(2)]) == 1
    assert len(runs(uri)) == 3


@pytest.mark.parametrize("call", ["log_batch", "set_terminated"])
def test_what_a_kill_left_running_is_closed_and_logged_anew(
    uri: str, call: str, monkeypatch: pytest.MonkeyPatch
):
    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, killed)
        with pytest.raises(SystemExit):
            Tracker(uri).sync("study", "quick", [record(0)])
    assert [r.info.status for r in runs(uri)] == ["RUNNING"]
    assert Tracker(uri).sync("study", "quick", [record(0)]) == 1
    assert sorted(r.info.status for r in runs(uri)) == ["FINISHED", "KILLED"]
    assert Tracker(uri).sync("study", "quick", [record(0)]) == 0


def test_what_another_machine_is_writing_is_left_alone(uri: str):
    Tracker(uri).sync("study", "quick", [record(0)])
    client, (own,) = MlflowClient(uri), runs(uri)
    tags = own.data.tags | {"driver": "elsewhere:/home", "record": "other"}
    other = client.create_run(own.info.experiment_id, tags=tags)
    Tracker(uri).sync("study", "quick", [record(0)])
    assert client.get_run(other.info.run_id).info.status == "RUNNING"


def test_values_that_are_not_finite_become_a_tag_and_finite_ones_stay(uri: str):
    rows = [{"step": 0, "loss": 1.0}, {"step": 1, "loss": math.nan}, {"step": 2, "loss": math.inf}]
    Tracker(uri).sync("study", "quick", [record(0, rows)])
    (run,) = runs(uri)
    assert run.data.tags["diverged"] == "true"
    assert run.data.metrics["loss"] == 1.0


def test_a_trial_that_says_it_diverged_is_tagged(uri: str):
    Tracker(uri).sync("study", "quick", [record(0, [{"step": 0, "loss": None, "diverged": True}])])
    assert runs(uri)[0].data.tags["diverged"] == "true"


def test_more_metrics_than_a_call_may_hold_all_arrive_in_calls_that_may(
    uri: str, monkeypatch: pytest.MonkeyPatch
):
    sizes, log_batch = [], MlflowClient.log_batch

    def counted(self: Any, run_id: str, metrics: Any = (), **others: Any) -> None:
        sizes.append(len(metrics))
        log_batch(self, run_id, metrics, **others)

    monkeypatch.setattr(MlflowClient, "log_batch", counted)
    rows = [{"step": step, "loss": float(step), "other": 0.0} for step in range(1200)]
    Tracker(uri).sync("study", "quick", [record(0, rows)])
    (run,) = runs(uri)
    assert max(sizes) <= 1000
    assert len(MlflowClient(uri).get_metric_history(run.info.run_id, "loss")) == 1200


def test_a_failed_trial_is_a_failed_run_that_says_why(uri: str):
    Tracker(uri).sync("study", "quick", [record(0, [], "ValueError: no (study.py:3)")])
    (run,) = runs(uri)
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == "ValueError: no (study.py:3)"


def test_a_trial_run_again_gets_a_run_of_its_own(uri: str):
    again = dataclasses.replace(record(0), started=1_800_000_000.0)
    Tracker(uri).sync("study", "quick", [record(0)])
    assert Tracker(uri).sync("study", "quick", [again]) == 1
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


def test_a_server_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError, match="`track` catches up later") as caught:
        Tracker("http://127.0.0.1:9").sync("study", "quick", [record(0)])
    assert "\n" not in str(caught.value)
