"""A study at a scale: its trials, its data, its journal, and how far it is."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import params
from pipeline.fetching import provenance
from pipeline.fingerprint import Fingerprints
from pipeline.records import FAILED, FINISHED, Journal, journal, key
from pipeline.studies import STUDIES
from pipeline.study import Section, Study, Trial

DATA, SCRATCH = Path("data"), Path(".scratch")


class Source(NamedTuple):
    """A data set as the driver sees it."""

    served: str
    sha256: str
    provenance: Mapping[str, Any]
    read: Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Job:
    """One study at one scale."""

    name: str
    module: str
    """Where workers find it, under the name STUDY."""
    study: Study
    scale: str
    section: Section
    data: Mapping[str, Source]

    @cached_property
    def trials(self) -> dict[str, Trial]:
        """The trials that the section asks for, by key."""
        return {key(trial): trial for trial in self.study.trials(self.section)}

    @cached_property
    def prints(self) -> Fingerprints:
        """What the trials' results depend on at present."""
        return Fingerprints(self.study, {name: s.sha256 for name, s in self.data.items()})

    @property
    def journal(self) -> Journal:
        """The record of what is finished."""
        return journal(self.name, self.scale)

    @property
    def scratch(self) -> Path:
        """Where its trials keep checkpoints."""
        return SCRATCH.resolve() / f"{self.name}-{self.scale}"


class State(NamedTuple):
    """How many of the trials that are asked for have ended how."""

    wanted: int
    finished: int
    failed: int
    stale: int
    """Finished, but under other code, data or versions than today's."""


def state(job: Job) -> State:
    """Compare the journal with what is asked for."""
    records = [r for k, r in job.journal.read().items() if k in job.trials]
    done = [r for r in records if r.status == FINISHED]
    fresh = sum(r.hash == job.prints.of(r.trial) for r in done)
    failed = sum(r.status == FAILED for r in records)
    return State(len(job.trials), fresh, failed, len(done) - fresh)


def job(settings: params.Settings, name: str) -> Job:
    """Return a study of the project at the scale in force."""
    section = params.section(settings, name)
    study = STUDIES[name]
    data = {d: _source(d) for d in study.data}
    return Job(name, f"{STUDIES.package}.{name}", study, settings.scale, section, data)


def _source(name: str) -> Source:
    """Return what the folder of a data set says that it holds; its hash is empty if nothing."""

    def read() -> Any:
        from pipeline.datasets import DATASETS

        return DATASETS[name]().load(DATA)

    held = provenance.recorded(provenance.folder_of(name, DATA))
    if held is None:
        return Source("", "", {}, read)
    return Source(held.served, held.sha256, dataclasses.asdict(held), read)
