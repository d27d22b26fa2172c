"""``status`` tells how far a study is, and why what is finished is not finished any more."""

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline.running import jobs
from pipeline.running.fingerprint import versions
from pipeline.running.jobs import Fetched, Job, State, changes, state
from pipeline.running.journal import FAILED, FINISHED, Record, fact
from pipeline.study import Entries, Given, Part, Rows, Trial, datasets_of, key, single


class Toy(Trial):
    """A trial that need not run."""

    dataset: str | None = None

    def measure(self, given: Given) -> Rows:
        """Measure nothing."""
        return {"value": self.seed}


HERE = {"numbers": "a" * 64}


@pytest.fixture(name="job")
def _job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return a study of three trials, two of which read a data set."""
    monkeypatch.chdir(tmp_path)

    def fetched(name: str) -> Fetched:
        return Fetched(name, {}, HERE.get(name, ""), lambda: None)

    monkeypatch.setattr(jobs, "fetched", fetched)
    toys: list[Entries] = [
        {"dataset": None, "seed": 0},
        {"dataset": "numbers", "seed": 0},
        {"dataset": "letters", "seed": 0},
    ]
    study = single(Part(None, Toy, lambda rows: iter(()), formerly=_formerly))
    return Job("toy", study, "quick", {key(trial): trial for trial in toys}, {})


def _formerly(entries: Entries) -> Entries:
    return {"seed": entries["number"], "dataset": None}


def _record(
    job: Job, trial: Entries, sha256: str = HERE["numbers"], status: str = FINISHED
) -> Record:
    """Write down a trial as it ended under what is present, and return its record."""
    facts = fact({"sha256": sha256}) | fact(dict(job.prints.modules(trial)))
    data = {name: next(iter(facts)) for name in datasets_of(trial)}
    hashed = job.prints.of(trial, dict.fromkeys(data, sha256))
    record = Record(
        hashed, job.prints.code(trial), trial, [{"a": 1}], status, "", 1.0, 1.0, versions(), data
    )
    job.journal.append(record, facts)
    return record


def _again(job: Job, record: Record, **changed: object) -> None:
    """Write a record down with something changed."""
    job.journal.append(dataclasses.replace(record, started=2.0, **changed), {})  # pyright: ignore[reportArgumentType]


def test_trials_are_finished_or_failed_or_wait_for_data(job: Job):
    plain, numbers, _ = job.trials.values()
    _record(job, plain)
    assert state(job) == State(3, 1, 0, 1, 0, ())
    _record(job, numbers, status=FAILED)
    assert state(job) == State(3, 1, 1, 1, 0, ())


def test_a_finished_trial_is_stale_by_data_that_have_changed(job: Job):
    _record(job, list(job.trials.values())[1], sha256="b" * 64)
    assert state(job) == State(3, 0, 0, 1, 1, ("1 record: data: numbers",))


def test_a_finished_trial_is_stale_by_versions_and_code(job: Job):
    plain = next(iter(job.trials.values()))
    record = _record(job, plain)
    older = versions() | {"numpy": "1.0"}
    _again(job, record, versions=older, hash="other")
    assert state(job).why == ("1 record: versions: measured by numpy 1.0",)
    _again(job, record, versions=older, hash="other", code="unknown")
    told = "code: which modules is not recorded; versions: measured by numpy 1.0"
    assert state(job).why == (f"1 record: {told}",)


def test_a_record_whose_parameters_are_not_asked_for_is_counted_apart(job: Job):
    _record(job, {"dataset": None, "seed": 7})
    told = "1 record: parameters: such a trial is not asked for any more"
    assert state(job) == State(3, 0, 0, 1, 0, (told,))


def test_a_trial_that_was_described_otherwise_is_known_by_how_it_is_now(job: Job):
    record = _record(job, next(iter(job.trials.values())))
    journal = job.journal.path
    old = dataclasses.replace(record, trial={"number": 0}, code="unknown")
    journal.write_text(json.dumps(old.plain()) + "\n")
    assert state(job) == State(3, 0, 0, 1, 1, ("1 record: code: which modules is not recorded",))


def test_modules_that_changed_are_named_before_those_that_came_or_went():
    before = {"kept": "1", "edited": "1", "old": "1"}
    now = {"kept": "1", "edited": "2", "new": "1"}
    assert changes(before, now) == "edited, old (gone), new (new)"
    many = {f"m{number}": "1" for number in range(8)}
    assert changes(many, {}).endswith("m5 (gone) and 2 more")


def test_a_journal_read_without_rows_has_all_else(job: Job):
    trial: Entries = {"dataset": '], "status": "odd', "seed": 0}
    record = _record(job, trial)
    odd = dataclasses.replace(record, rows=[{"status": ', "rows": ['}], error='"], "status": "x')
    _again(job, odd)
    (light,) = job.journal.read(rows=False).records.values()
    (whole,) = job.journal.read().records.values()
    assert light == dataclasses.replace(whole, rows=[])
    assert whole.rows == odd.rows
