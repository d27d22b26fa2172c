"""What a server holds comes back whole, checked, and overwrites nothing that counts for more."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from pipeline.errors import UserError
from pipeline.reporting.report import build
from pipeline.running.collecting import collect
from pipeline.running.jobs import Job
from pipeline.running.journal import Journal, table
from pipeline.running.tracking import Tracker
from pipeline.study import Row
from tests.recorded import clone, job, measured, record
from tests.servers import mlflow_server, refusing

pytestmark = pytest.mark.filterwarnings(
    # MLflow 3.17 uses a loader strategy that SQLAlchemy 2.1 deprecates.
    "ignore:The ``noload`` loader strategy is deprecated"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store's tables once: it takes a second."""
    folder = tmp_path_factory.mktemp("store")
    Tracker(f"sqlite:///{folder / 'first.db'}")
    shutil.copy(folder / "first.db", folder / "mlflow.db")
    for rest in folder.glob("first.db-*"):
        shutil.copy(rest, folder / rest.name.replace("first", "mlflow"))
    return folder


@pytest.fixture
def uri(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a store of one's own, in the folder that one is in."""
    for file in empty.glob("mlflow.db*"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def log(uri: str, of: Job) -> None:
    """Log all that the journal holds."""
    held = of.journal.read()
    Tracker(uri).sync(of.name, of.scale, held.records.values(), held.facts)


def rows(of: Job) -> pd.DataFrame:
    return table(of.journal.read().records, of.trials)


def test_two_clones_that_share_a_server_split_a_study_and_come_to_the_same_page(
    server: str, tmp_path: Path
):
    for name, share in (("one", slice(0, 3)), ("other", slice(2, 6))):
        with clone(tmp_path / name):
            measured(job(), list(job().trials)[share])
            log(server, job())
    tables, pages = [], []
    for name in ("one", "other"):
        with clone(tmp_path / name):
            found = collect(job(), server)
            assert found.refused == ()
            tables.append(rows(job()))
            pages.append((build(job(), Path()) / "index.html").read_bytes())
            assert collect(job(), server).new == 0
    assert list(tables[0]["seed"]) == [0, 1, 2, 3, 4, 5]
    pd.testing.assert_frame_equal(*tables)
    assert pages[0] == pages[1]


def test_what_is_collected_is_what_was_measured_with_the_facts_that_it_names(
    uri: str, tmp_path: Path
):
    measured(job(4, "mnist"), list(job(4, "mnist").trials))
    before = job().journal.read()
    log(uri, job())
    job().journal.path.unlink()
    found = collect(job(), uri)
    assert (found.new, found.known, found.bare, found.refused) == (4, 0, 0, ())
    after = job().journal.read()
    assert after.facts == before.facts
    assert after.records == before.records


def test_nothing_is_overwritten_by_what_is_older_or_of_stand_in_data(uri: str):
    of = job(3, "mnist")
    older, stand_in, newer = of.trials.values()
    elsewhere: list[Row] = [{"elsewhere": 1.0}]
    for own, (made, facts) in (
        (record(older, started=2e9), record(older, elsewhere, started=1e9)),
        (
            record(stand_in, started=1e9),
            record(stand_in, elsewhere, started=2e9, embedded=True),
        ),
        (record(newer, started=2e9, embedded=True), record(newer, elsewhere, started=1e9)),
    ):
        of.journal.append(*own)
        Tracker(uri).sync("toss", "quick", [made], facts)
    found = collect(of, uri)
    assert (found.new, found.known, found.refused) == (1, 2, ())
    held = Journal(of.journal.path).read()
    assert [r.rows[0].get("elsewhere") for r in held.records.values()] == [None, None, 1.0]
    assert not any(held.stand_in(r) for r in held.records.values())


def tampered(path: Path, **changes: Any) -> bytes:
    """Return an artifact whose record says something else."""
    whole = json.loads(gzip.decompress(path.read_bytes()))
    whole["record"] |= changes
    return gzip.compress(json.dumps(whole).encode())


def test_what_is_damaged_or_foreign_is_one_line_each_and_the_rest_goes_on(uri: str):
    of = job(8)
    measured(of, list(of.trials))
    log(uri, of)
    of.journal.path.unlink()
    client = MlflowClient(uri)
    (experiment,) = [e.experiment_id for e in client.search_experiments() if e.name == "toss"]
    runs = {int(r.data.tags["seed"]): r.info for r in client.search_runs([experiment])}
    paths = {
        seed: Path(str(run.artifact_uri).removeprefix("file://")) / "record.json.gz"
        for seed, run in runs.items()
    }
    paths[0].write_bytes(paths[0].read_bytes()[:-20])
    paths[1].write_bytes(paths[2].read_bytes())
    paths[3].unlink()
    for seed, change in ((4, {"code": "0" * 16}), (5, {"rows": "none"}), (6, {"versions": {}})):
        content = tampered(paths[seed], **change)
        paths[seed].write_bytes(content)
        client.set_tag(
            runs[seed].run_id, "digest", hashlib.sha256(gzip.decompress(content)).hexdigest()
        )
    found = collect(of, uri)
    assert (found.new, found.known) == (2, 0)
    assert sorted(str(r.trial["seed"]) for r in of.journal.read().records.values()) == ["2", "7"]
    assert all(len(line.splitlines()) == 1 for line in found.refused)
    expected = {
        0: "can't be unpacked",
        1: "it isn't what was logged",
        3: "can't be had",
        4: "by what code",
        5: "is no record",
        6: "its hash is not that of",
    }
    for seed, why in expected.items():
        assert [why in line for line in found.refused if runs[seed].run_id in line] == [True]
    assert len(found.refused) == len(expected)
    assert found.lines()[0] == "toss (quick): 2 collected, 0 known, 6 refused"


def test_runs_from_before_they_kept_their_records_are_counted_and_change_nothing(uri: str):
    of = job(2)
    client = MlflowClient(uri)
    tags = {"study": "toss", "scale": "quick", "kind": "trial", "record": "old-1"}
    run = client.create_run(client.create_experiment("toss", "artifacts"), tags=tags)
    client.set_terminated(run.info.run_id)
    measured(of, list(of.trials))
    log(uri, of)
    found = collect(of, uri)
    assert (found.new, found.known, found.bare, found.refused) == (0, 2, 1, ())


def test_values_that_are_not_finite_come_back(uri: str):
    of = job(1)
    (trial,) = of.trials.values()
    of.journal.append(*record(trial, [{"loss": float("inf"), "rate": float("nan")}]))
    log(uri, of)
    of.journal.path.unlink()
    assert collect(of, uri).new == 1
    ((row,),) = [r.rows for r in of.journal.read().records.values()]
    assert repr(row) == "{'loss': inf, 'rate': nan}"


def test_a_store_that_lacks_the_study_has_nothing_and_a_journal_that_is_written_is_left_alone(
    uri: str,
):
    of = job(1)
    assert collect(of, uri).new == 0
    assert not of.journal.path.exists()
    measured(of, list(of.trials))
    log(uri, of)
    of.journal.path.unlink()
    with Journal(of.journal.path).locked(), pytest.raises(UserError, match="by another run"):
        collect(of, uri)
    with pytest.raises(UserError, match="MLflow at http"):
        collect(of, refusing())
