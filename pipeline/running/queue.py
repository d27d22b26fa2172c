"""One queue for the trials of all studies: those not finished run, and each is recorded at its end.

Trials that must be alone run before all others; then the longest, by earlier records, start first.
Each trial that ends is written to its study's journal before the next outcome is handled, so a kill
loses only the trials that were running; the next run takes these up again.

Above 300 lines because these belong together: what is left, in which order it runs, what becomes of
it.
"""

import contextlib
import dataclasses
import shutil
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from pipeline.errors import UserError, refused
from pipeline.params import Dispatch, Settings
from pipeline.running.cluster import Cluster, Event, GoneError, Read, Refused
from pipeline.running.fingerprint import versions
from pipeline.running.jobs import Job, is_finished, is_kept
from pipeline.running.journal import (
    FAILED,
    FINISHED,
    Facts,
    Held,
    Journal,
    Record,
    fact,
)
from pipeline.running.progress import Clock, Progress, Standing, Waiting, say
from pipeline.running.worker import Assignment, Outcome, measure
from pipeline.study import Entries, Value, datasets_of

NAMED = 5
"""The most failed trials of a study that are named."""


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a run ended."""

    standings: dict[str, Standing]
    """By the study's name."""
    stopped: str = ""
    """What stopped the run before its end; empty if nothing did."""

    @property
    def code(self) -> int:
        """The exit code: 0 if all trials finished, those aside that wait for missing data."""
        each = self.standings.values()
        waiting = [why for standing in each for why in standing.waiting.values()]
        failed = any(standing.failed for standing in each)
        return int(bool(self.stopped) or failed or not all(why.for_data for why in waiting))

    def lines(self) -> Iterator[str]:
        """Say what failed, what waits and what is left, and why."""
        for name, standing in self.standings.items():
            for record in standing.failed[:NAMED]:
                yield f"failed: {name}: {record.key}: {record.error}"
            if failed := len(standing.failed):
                of = f"{failed} of {standing.total} trials failed"
                yield f"{name}: {of}; the next run tries them again"
            for reason, count in Counter(w.reason for w in standing.waiting.values()).items():
                yield f"{name}: {count} trials wait: {reason}"
        if self.stopped:
            left = sum(standing.left for standing in self.standings.values())
            kept = "what has ended and all checkpoints are kept, and the next run goes on"
            yield f"stopped: {self.stopped}; {left} trials are left: {kept}"


def run(
    jobs: Sequence[Job],
    settings: Settings,
    console: Console,
    *,
    force: bool = False,
    ended: Callable[[Job], None] | None = None,
) -> Ending:
    """Run the trials of all studies that are not finished; with ``force``, all trials.

    ``ended`` is called with a study when none of its trials is left to run and its journal is
    written, but not while trials that must be alone are still to run or running.

    Raises:
        UserError: another run writes one of the journals, or the cluster does not answer.
    """
    with contextlib.ExitStack() as locks:
        for job in jobs:
            locks.enter_context(job.journal.locked())
        queue = _Queue(jobs, settings, force, ended or (lambda _: None))
        say(console, queue.plan())
        ending = Ending(queue.standings, queue.work(console))
    for line in ending.lines():
        say(console, line)
    return ending


@dataclasses.dataclass(frozen=True)
class _Queued:
    """A trial that is to run."""

    job: Job
    key: str
    assignment: Assignment
    expected: float | None
    """Seconds, by earlier records; None if there are none."""

    @property
    def part(self) -> str:
        return f"{self.job.name}.{self.assignment.entries.get('part')}"


class _Queue:
    """The trials that are left of all studies, and the outcomes of those that have ended."""

    def __init__(
        self,
        jobs: Sequence[Job],
        settings: Settings,
        force: bool,
        ended: Callable[[Job], None],
    ):
        self._jobs, self._settings, self._ended = jobs, settings, ended
        self.standings = {job.name: Standing(job.name) for job in jobs}
        self._reach: dict[str, frozenset[str]] = {}
        queued = [each for job in jobs for each in self._left_or_why(job, force)]
        # A trial of unknown length may be long, so it starts early; equal ones keep their order.
        queued.sort(key=lambda q: (not q.assignment.alone, -(q.expected or float("inf"))))
        self._queued = [
            dataclasses.replace(q, assignment=q.assignment._replace(place=place))
            for place, q in enumerate(queued)
        ]
        self._clock = Clock((q.part, q.expected) for q in queued)
        self._alone = sum(q.assignment.alone for q in queued)
        self._done: list[Job] = []

    def plan(self) -> str:
        """Return one line: how many trials are to run, and of which studies."""
        each = self.standings.values()
        names = [name for name, standing in self.standings.items() if standing.left]
        of = f": {', '.join(names)}" if names else ""
        before = sum(standing.before for standing in each)
        return f"{len(self._queued)} trials to run, {before} finished before{of}"

    def work(self, console: Console) -> str:
        """Run what is left; return why it stopped early, empty if it did not."""
        for job in self._jobs:
            if not self.standings[job.name].left:
                self._end(job)
        if not self._queued:
            return ""
        self._make_room()
        measuring = self._backend()
        progress = Progress(
            list(self.standings.values()),
            self._clock,
            lambda: Counter(self._queued[a.place].job.name for a in measuring.running()),
            lambda: measuring.slots,
        )
        try:
            with progress.shown(console), contextlib.closing(measuring.events()) as events:
                for assignment, what in events:
                    self._take(self._queued[assignment.place], what)
        except GoneError as gone:
            return str(gone)
        return ""

    def _make_room(self) -> None:
        """Make the folders for checkpoints; UserError if that fails, before any trial does."""
        for scratch in {queued.job.scratch for queued in self._queued}:
            try:
                scratch.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise refused(error, scratch) from None

    def _backend(self) -> "Cluster | _Inline":
        """Return the backend that measures the assignments."""
        assignments = [queued.assignment for queued in self._queued]
        data = {f.name: f.read for job in self._jobs for f in job.data.values()}
        backend = {"ray": Cluster, "inline": _Inline}[self._settings.dispatch.backend]
        return backend(assignments, lambda name: data[name](), self._settings.dispatch)

    def _left_or_why(self, job: Job, force: bool) -> list[_Queued]:
        """Return what has to run; if a study's journal cannot be read, all its trials wait."""
        try:
            return list(self._left(job, force))
        except UserError as error:
            why = Waiting(str(error))
            self.standings[job.name] = Standing(job.name, waiting=dict.fromkeys(job.trials, why))
            return []

    def _left(self, job: Job, force: bool) -> Iterator[_Queued]:
        """Read a study's journal; yield the trials to run, and note those that must wait."""
        held, standing = job.journal.read(), self.standings[job.name]
        todo = []
        for key, entries in job.trials.items():
            record = held.records.get(key)
            if is_kept(job, held, record, entries) or (
                not force and is_finished(record, job.hash_of(entries))
            ):
                standing.before += 1
            elif lacking := self._lacking(job, entries, held, record):
                standing.waiting[key] = Waiting(lacking, for_data=True)
            else:
                todo.append(key)
        standing.left = len(todo)
        expected = _expected(job, held, todo)
        for key in todo:
            yield _Queued(job, key, self._assignment(job, job.trials[key]), expected[key])

    def _lacking(self, job: Job, entries: Entries, held: Held, record: Record | None) -> str:
        """Return which data set keeps a trial from running, and why; empty if none does."""
        on_real = record and record.status == FINISHED and not held.stand_in(record)
        for name in datasets_of(entries):
            here = job.data[name]
            if not here.sha256:
                return f"data set {name} is not there: python -m pipeline fetch {name}"
            if here.provenance.get("embedded") and on_real:
                return (
                    f"earlier code measured it on {name} itself, which {here.provenance['served']} "
                    f"stand in for: python -m pipeline fetch {name}"
                )
            if here.provenance.get("embedded") and self._settings.offline == "error":
                served, scale = here.provenance.get("served"), self._settings.scale
                return (
                    f"data set {name} is not there, {served} stand in for it, which data.offline "
                    f"does not let them at {scale}: python -m pipeline fetch {name}"
                )
        return ""

    def _assignment(self, job: Job, entries: Entries) -> Assignment:
        """Return a trial with the data, code, folder and processors that it may use."""
        part, given, digest = (
            job.study.part_of(entries),
            self._settings.dispatch,
            job.hash_of(entries),
        )
        code, needs = job.prints.code(entries), part.needs
        if code not in self._reach:
            self._reach[code] = frozenset(m for m in job.prints.modules(entries) if ":" not in m)
        return Assignment(
            place=0,
            entries=entries,
            kind=f"{part.trial.__module__}:{part.trial.__qualname__}",
            hash=digest,
            data=datasets_of(entries),
            reach=self._reach[code],
            scratch=job.scratch / digest,
            cpus=given.cpus if needs.cpus is None else needs.cpus,
            gpus=given.gpus if needs.gpus is None else needs.gpus,
            alone=needs.alone,
        )

    def _take(self, queued: _Queued, what: Outcome | Refused) -> None:
        """Record a trial's outcome and count it."""
        job, standing = queued.job, self.standings[queued.job.name]
        if isinstance(what, Refused):
            standing.waiting[queued.key] = Waiting(what.reason)
            self._clock.count(queued.part, queued.expected, None)
        else:
            record = self._recorded(queued, what)
            shutil.rmtree(queued.assignment.scratch or "", ignore_errors=True)
            standing.finished += record.status == FINISHED
            standing.failed += [record] if record.status == FAILED else []
            self._clock.count(queued.part, queued.expected, what.seconds)
        standing.left -= 1
        self._alone -= queued.assignment.alone
        if not standing.left:
            self._end(job)
        elif not self._alone:
            self._announce()

    def _recorded(self, queued: _Queued, outcome: Outcome) -> Record:
        """Write an outcome into its study's journal; return the record."""
        job, entries = queued.job, queued.assignment.entries
        data = {name: fact(dict(job.data[name].provenance)) for name in queued.assignment.data}
        code = job.prints.code(entries)
        record = Record(
            hash=queued.assignment.hash,
            code=code,
            trial=entries,
            rows=outcome.rows,
            status=FAILED if outcome.error else FINISHED,
            error=outcome.error,
            started=round(outcome.started, 6),
            seconds=round(outcome.seconds, 6),
            versions=versions(),
            data={name: next(iter(said)) for name, said in data.items()},
        )
        facts: Facts = {code: job.prints.modules(entries)}
        for said in data.values():
            facts |= said
        job.journal.append(record, facts)
        return record

    def _end(self, job: Job) -> None:
        """Tidy up a study of which nothing is left to run: journal, checkpoints, announcement."""
        with contextlib.suppress(UserError):  # a line that cannot be read was reported before
            job.journal.compact()
        if not self.standings[job.name].waiting:
            shutil.rmtree(job.scratch, ignore_errors=True)
        self._done.append(job)
        if not self._alone:
            self._announce()

    def _announce(self) -> None:
        """Call ``ended`` for each study that has ended; this may start using processors at once."""
        while self._done:
            self._ended(self._done.pop(0))


class _Inline:
    """Measures assignments in this process, one after the other."""

    slots = 1

    def __init__(self, assignments: Sequence[Assignment], read: Read, settings: Dispatch):
        self._assignments, self._read = assignments, read
        self._data: dict[str, Any] = {}
        self._now: list[Assignment] = []

    def running(self) -> list[Assignment]:
        """Return what is being measured."""
        return self._now

    def events(self) -> Generator[Event, None, None]:
        """Measure all, and yield each as it ends."""
        for assignment in self._assignments:
            self._now = [assignment]
            try:
                for name in assignment.data:
                    if name not in self._data:
                        self._data[name] = self._read(name)
            except UserError as error:
                yield assignment, Refused(str(error))
            else:
                yield assignment, measure(assignment, self._data)
        self._now = []


def _expected(job: Job, held: Held, keys: Iterable[str]) -> dict[str, float | None]:
    """Return the seconds that trials should take: as recorded, or the mean of their part.

    If a part has no records at this scale, those at another scale are used.
    """
    keys = list(keys)
    known = {
        key: record.seconds for key, record in held.records.items() if record.status == FINISHED
    }
    usual = _usual(held.records.values()) if keys else {}
    parts = {key: job.trials[key].get("part") for key in keys}
    if not all(key in known or parts[key] in usual for key in keys):
        for path in sorted(job.journal.path.parent.parent.glob(f"*/{job.journal.path.name}")):
            if path != job.journal.path:
                with contextlib.suppress(UserError):
                    usual = _usual(Journal(path).read().records.values()) | usual
    return {key: known.get(key, usual.get(parts[key])) for key in keys}


def _usual(records: Iterable[Record]) -> dict[Value, float]:
    """Return the mean seconds of a trial, by part."""
    seconds: defaultdict[Value, list[float]] = defaultdict(list)
    for record in records:
        if record.status == FINISHED:
            seconds[record.trial.get("part")].append(record.seconds)
    return {part: statistics.fmean(each) for part, each in seconds.items()}
