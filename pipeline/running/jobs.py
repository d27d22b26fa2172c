"""A study at a scale: its trials, its data, its journal, and how many trials are finished."""

import contextlib
import dataclasses
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from lightning_modules.registry import nearest
from pipeline import params
from pipeline.data import provenance
from pipeline.data.sources import noted
from pipeline.errors import UserError
from pipeline.running.browsing import opening
from pipeline.running.fingerprint import Fingerprints, Modules, combined, versions
from pipeline.running.journal import FAILED, FINISHED, Held, Journal, Record, journal
from pipeline.studies import STUDIES
from pipeline.study import Entries, Study, datasets_of, key

DATA, SCRATCH = Path("data"), Path(".scratch")
MOST = 6
"""The most modules that one line names."""


class Fetched(NamedTuple):
    """A data set as the driver sees it."""

    name: str
    provenance: Mapping[str, Any]
    """What its folder records of it, such as source and licence; empty if nothing is there."""
    sha256: str
    """The hash of its files; empty if nothing is there."""
    read: Callable[[], Any]
    absent: str = ""
    """Why it could not be fetched, if that was tried; a stand-in may be there instead."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One study at one scale."""

    name: str
    study: Study
    scale: str
    trials: dict[str, Entries]
    """The trials that the study's file asks for, by key."""
    section: dict[str, Any]
    """The section of the study's file, as it was written."""

    @cached_property
    def prints(self) -> Fingerprints:
        """The hashes of what the trials' results depend on at present."""
        return Fingerprints(self.study)

    @cached_property
    def data(self) -> dict[str, Fetched]:
        """The data sets that its trials name."""
        named = {name for trial in self.trials.values() for name in datasets_of(trial)}
        return {name: fetched(name) for name in sorted(named)}

    @cached_property
    def journal(self) -> Journal:
        """The study's journal."""
        return journal(self.name, self.scale)

    @property
    def scratch(self) -> Path:
        """Where its trials keep checkpoints."""
        return SCRATCH.resolve() / f"{self.name}-{self.scale}"

    def asked(self, trial: Entries) -> str | None:
        """Return the key of a record's trial among today's trials; None if it is not asked for.

        An earlier description of the trial is translated first, by the part's ``formerly``.
        """
        if (as_it_is := key(trial)) in self.trials:
            return as_it_is
        try:
            formerly = self.study.part_of(trial).formerly
            now = key(formerly(dict(trial))) if formerly else ""
        except (KeyError, TypeError, ValueError):  # of a part or a shape that is gone
            return None
        return now if now in self.trials else None

    def hash_of(self, trial: Entries) -> str:
        """Return what the trial's result depends on at present, as a hash."""
        data = {name: self.data[name].sha256 for name in datasets_of(trial)}
        return self.prints.of(trial, data)


class State(NamedTuple):
    """How many of the trials that are asked for are in which state; the rest have never run."""

    wanted: int
    finished: int
    failed: int
    waiting: int
    """Trials that are not finished because a data set is not there."""
    stale: int
    """Trials that finished under other code, data or versions than today's."""
    why: tuple[str, ...]
    """What makes records stale, and how many of them, the most frequent reason first."""

    def counts(self) -> dict[str, int]:
        """Return the numbers by name."""
        return {name: value for name, value in self._asdict().items() if name != "why"}


def state(job: Job) -> State:
    """Compare a study's journal with the trials that its file asks for."""
    held = job.journal.read(rows=False)
    counts: Counter[str] = Counter()
    why: Counter[str] = Counter()
    missing = {name for name, data in job.data.items() if not data.sha256}
    old: dict[str, Record] = {}
    reason = _Reasons(job, held)
    for described, record in held.records.items():
        asked = described if described in job.trials else job.asked(record.trial)
        if asked is None:
            why["parameters: such a trial is not asked for any more"] += 1
        else:
            # Of two records of one trial, the one with today's description counts.
            old[asked] = held.records.get(asked, record)
    for asked, entries in job.trials.items():
        record = old.get(asked)
        if _is_present(job, record, entries) or is_kept(job, held, record, entries):
            counts["finished"] += 1
        elif missing and missing & {*datasets_of(entries)}:
            counts["waiting"] += 1
        elif record is not None and record.status == FAILED:
            counts["failed"] += 1
        elif record is not None:
            counts["stale"] += 1
            why[reason(record, entries)] += 1
    words = ((f"{count:,} record{'s' if count > 1 else ''}", of) for of, count in why.most_common())
    said = tuple(f"{records}: {reason}" for records, reason in words)
    return State(
        len(job.trials),
        counts["finished"],
        counts["failed"],
        counts["waiting"],
        counts["stale"],
        said,
    )


def _is_present(job: Job, record: Record | None, entries: Entries) -> bool:
    """Return whether a trial is finished; its code is compared first, which is quicker."""
    if record is None or record.code != job.prints.code(entries):
        return False
    return is_finished(record, job.hash_of(entries))


class _Reasons:
    """Says in what code, data or versions finished trials differ from today's."""

    def __init__(self, job: Job, held: Held):
        self._job, self._facts = job, held.facts
        self._told: dict[tuple[str, str], str] = {}

    def __call__(self, record: Record, entries: Entries) -> str:
        """Return all reasons in one line."""
        return "; ".join(self._each(record, entries)) or "described otherwise"

    def _each(self, record: Record, entries: Entries) -> Iterator[str]:
        both = record.code, self._job.prints.code(entries)
        if record.code != both[1]:
            if both not in self._told:
                before, now = self._facts.get(record.code), self._job.prints.modules(entries)
                self._told[both] = changes(before, now)
            yield f"code: {self._told[both]}"
        facts = {name: self._facts.get(digest, {}) for name, digest in record.data.items()}
        data = self._job.data
        named = datasets_of(entries)
        others = [n for n in named if facts.get(n, {}).get("sha256") != data[n].sha256]
        if others:
            yield f"data: {', '.join(others)}"
        libraries = {n: v for n, v in record.versions.items() if versions().get(n) != v}
        if libraries:
            yield f"versions: measured by {', '.join(f'{n} {v}' for n, v in libraries.items())}"


def changes(before: Modules | None, now: Modules) -> str:
    """Name the modules that differ; first those that both codes reach."""
    if before is None:
        return "which modules is not recorded"
    changed = sorted(m for m in before.keys() & now.keys() if before[m] != now[m])
    gone = [f"{m} (gone)" for m in sorted(before.keys() - now.keys())]
    new = [f"{m} (new)" for m in sorted(now.keys() - before.keys())]
    named = [*changed, *gone, *new]
    more = f" and {len(named) - MOST} more" if len(named) > MOST else ""
    return ", ".join(named[:MOST]) + more


def is_finished(record: Record | None, hash: str) -> bool:  # noqa: A002
    """Return whether a trial's record is finished and of the trial's present hash."""
    return record is not None and record.status == FINISHED and record.hash == hash


def is_kept(job: Job, held: Held, record: Record | None, entries: Entries) -> bool:
    """Return whether today's code measured a trial on real data that are not here now.

    That they are absent, or replaced by a stand-in, is no reason to run the trial again.
    """
    here = {name: job.data[name] for name in datasets_of(entries)}
    real = {n: d.sha256 for n, d in here.items() if d.sha256 and not d.provenance.get("embedded")}
    if record is None or len(real) == len(here) or held.stand_in(record):
        return False
    measured = {
        name: held.facts.get(fact, {}).get("sha256", "") for name, fact in record.data.items()
    }
    if not measured.keys() >= here.keys():
        return False
    code = job.prints.code(entries)
    return is_finished(record, combined(entries, measured | real, versions(), code))


def jobs(settings: params.Settings, names: Sequence[str] = ()) -> tuple[list[Job], dict[str, str]]:
    """Return the studies that are named, or, if none is, all that params.yaml lists.

    The errors of studies that cannot be declared are returned beside them, by name.

    Raises:
        UserError: a name is no study.
    """
    made, broken = [], dict[str, str]()
    for name in dict.fromkeys(names or settings.studies):
        if name not in STUDIES:
            raise UserError(f"{name!r} is not a study: {nearest(name, STUDIES)}")
        with _named(name, broken):
            made.append(job(settings, name))
    return made, broken


def asked_for(broken: dict[str, str]) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Iterate over all studies: name, question, and number of trials by scale.

    The errors of studies that cannot be declared go into ``broken``, by name.
    """
    for name in STUDIES:
        with _named(name, broken):
            study = STUDIES[name]
            question = opening(study.doc)
            scales = params.scales_of(name)
            yield name, question, {s: len(params.trials(name, study, s)) for s in scales}


@contextlib.contextmanager
def _named(name: str, broken: dict[str, str]) -> Iterator[None]:
    """Put a study's error into ``broken`` instead of stopping all the others."""
    try:
        yield
    except UserError as error:
        broken[name] = str(error)
    except Exception as error:  # noqa: BLE001 - whatever a study's own file raises is its error
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if f"{os.sep}studies{os.sep}" in f.filename]
        where = f" ({os.path.relpath(own[-1].filename)}:{own[-1].lineno})" if own else ""
        broken[name] = f"{type(error).__name__}: {' '.join(str(error).split())}{where}"


def job(settings: params.Settings, name: str) -> Job:
    """Return a study at the scale in force."""
    study, scale = STUDIES[name], settings.scale
    trials = params.trials(name, study, scale)
    return Job(name, study, scale, trials, params.section(name, scale))


def fetched(name: str) -> Fetched:
    """Return a data set as its folder describes it."""

    def read() -> Any:
        from pipeline.data.sets import DATASETS

        return DATASETS[name]().load(DATA)

    held = provenance.recorded(provenance.folder_of(name, DATA))
    why = noted(name, DATA)
    if held is None:
        return Fetched(name, {}, "", read, why)
    return Fetched(name, held.facts(), held.sha256, read, why)
