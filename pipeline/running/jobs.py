"""A study at a scale: its trials, its data, its journal, and how far it is."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import params
from pipeline.data import provenance
from pipeline.errors import UserError
from pipeline.running.fingerprint import Fingerprints
from pipeline.running.journal import FAILED, FINISHED, Journal, Record, journal
from pipeline.studies import STUDIES
from pipeline.study import Entries, Study, datasets_of, key

DATA, SCRATCH = Path("data"), Path(".scratch")


class Fetched(NamedTuple):
    """A data set as the driver sees it."""

    name: str
    provenance: Mapping[str, Any]
    """What its folder says that it holds, without the files; empty if nothing is there."""
    sha256: str
    """Of its files; empty if nothing is there."""
    read: Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Job:
    """One study at one scale."""

    name: str
    study: Study
    scale: str
    trials: dict[str, Entries]
    """The trials that the study's file asks for, by key."""
    section: dict[str, Any]
    """The file's own words."""

    @cached_property
    def prints(self) -> Fingerprints:
        """What the trials' results depend on at present."""
        return Fingerprints(self.study)

    @cached_property
    def data(self) -> dict[str, Fetched]:
        """The data sets that its trials name."""
        named = {name for trial in self.trials.values() for name in datasets_of(trial)}
        return {name: fetched(name) for name in sorted(named)}

    @cached_property
    def journal(self) -> Journal:
        """The record of what is finished."""
        return journal(self.name, self.scale)

    @property
    def scratch(self) -> Path:
        """Where its trials keep checkpoints."""
        return SCRATCH.resolve() / f"{self.name}-{self.scale}"

    def hash_of(self, trial: Entries) -> str:
        """Return what the trial's result depends on at present, as a hash."""
        data = {name: self.data[name].sha256 for name in datasets_of(trial)}
        return self.prints.of(trial, data)


class Broken(NamedTuple):
    """A study that cannot be declared, and why."""

    name: str
    error: str


class State(NamedTuple):
    """How many of the trials that are asked for have ended how."""

    wanted: int
    finished: int
    failed: int
    stale: int
    """Finished, but under other code, data or versions than today's."""


def state(job: Job) -> State:
    """Compare the journal with what is asked for."""
    records = [r for k, r in job.journal.read().records.items() if k in job.trials]
    done = [r for r in records if r.status == FINISHED]
    fresh = sum(r.hash == job.hash_of(r.trial) for r in done)
    failed = sum(r.status == FAILED for r in records)
    return State(len(job.trials), fresh, failed, len(done) - fresh)


def is_finished(record: Record | None, hash: str) -> bool:  # noqa: A002
    """Tell whether a trial's record is of what the trial is at present."""
    return record is not None and record.status == FINISHED and record.hash == hash


def jobs(settings: params.Settings, names: Iterable[str] = ()) -> tuple[list[Job], list[Broken]]:
    """Return the studies by name, all that params.yaml lists if none is named, and broken ones.

    Raises:
        UserError: a name is no study.
    """
    made, broken = [], []
    for name in list(dict.fromkeys(names)) or settings.studies:
        if name not in STUDIES:
            from lightning_modules.registry import nearest

            raise UserError(f"{name!r} is not a study: {nearest(name, STUDIES)}")
        try:
            made.append(job(settings, name))
        except UserError as error:
            broken.append(Broken(name, str(error)))
        except Exception as error:  # noqa: BLE001 - whatever a study's own file raises is its error
            broken.append(Broken(name, f"{type(error).__name__}: {' '.join(str(error).split())}"))
    return made, broken


def job(settings: params.Settings, name: str) -> Job:
    """Return a study at the scale in force."""
    study, scale = STUDIES[name], settings.scale
    trials = params.trials(name, study, scale)
    return Job(name, study, scale, trials, params.section(name, scale))


def fetched(name: str) -> Fetched:
    """Return what the folder of a data set says that it holds."""

    def read() -> Any:
        from pipeline.data.sets import DATASETS

        return DATASETS[name]().load(DATA)

    held = provenance.recorded(provenance.folder_of(name, DATA))
    if held is None:
        return Fetched(name, {}, "", read)
    said = {k: v for k, v in dataclasses.asdict(held).items() if k != "files"}
    return Fetched(name, {**said, "sha256": held.sha256}, held.sha256, read)
