"""One queue for the trials of all studies: what is not finished runs, and is recorded as it ends.

What is known to take long starts first, trials that must be alone before all others. Each trial
that ends is in its study's journal before the next is looked at, so whatever is killed loses the
trials that were running and no other; the next run goes on with these.
"""

import contextlib
import dataclasses
import shutil
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from pipeline.errors import UserError
from pipeline.params import Dispatch, Settings
from pipeline.running.cluster import Cluster, Event, GoneError, Refused
from pipeline.running.fingerprint import combined, versions
from pipeline.running.jobs import Job, is_finished
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
from pipeline.study import datasets_of

NAMED = 5
"""How many of a study's failed trials are named."""


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a run ended."""

    standings: dict[str, Standing]
    """By the study's name."""

    @property
    def code(self) -> int:
        """The exit code: 0 if all finished but what waits for data that cannot be had."""
        each = self.standings.values()
        return int(
            any(s.failed or any(not w.for_data for w in s.waiting.values()) for s in each)
        )

    def lines(self) -> Iterator[str]:
        """Say what failed and what waits, and why."""
        for name, standing in self.standings.items():
            for record in standing.failed[:NAMED]:
                yield f"failed: {name}: {record.key}: {record.error}"
            if failed := len(standing.failed):
                yield f"{name}: {failed} trials failed; the next run tries them again"
            for reason, count in Counter(w.reason for w in standing.waiting.values()).items():
                yield f"{name}: {count} trials wait: {reason}"


def run(
    jobs: Sequence[Job],
    settings: Settings,
    console: Console,
    *,
    force: bool = False,
    ended: Callable[[Job], None] | None = None,
) -> Ending:
    """Run the trials of all studies that are not finished, or all by ``force``.

    ``ended`` is called as soon as no trial of a study is left to run, its journal written, and no
    trial that must be alone could be disturbed.

    Raises:
        UserError: another run writes one of the journals, or the cluster does not answer.
    """
    with contextlib.ExitStack() as locks:
        for job in jobs:
            locks.enter_context(job.journal.locked())
        queue = _Queue(jobs, settings, force, ended or (lambda _: None))
        say(console, queue.plan())
        queue.work(console)
    ending = Ending(queue.standings)
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
    """Seconds, where earlier records tell."""

    @property
    def part(self) -> str:
        return f"{self.job.name}.{self.assignment.entries.get('part')}"


class _Queue:
    """What is left of all studies, and what became of the rest."""

    def __init__(
        self,
        jobs: Sequence[Job],
        settings: Settings,
        force: bool,
        ended: Callable[[Job], None],
    ):
        self._jobs, self._settings, self._ended = jobs, settings, ended
        self.standings = {job.name: Standing(job.name) for job in jobs}
        queued = [each for job in jobs for each in self._left(job, force)]
        # What nothing is known of may take long; sorting keeps the order of what is alike.
        queued.sort(key=lambda q: (not q.assignment.alone, -(q.expected or float("inf"))))
        self._queued = [
            dataclasses.replace(q, assignment=q.assignment._replace(place=place))
            for place, q in enumerate(queued)
        ]
        self._clock = Clock((q.part, q.expected) for q in queued)
        self._alone = sum(q.assignment.alone for q in queued)
        self._done: list[Job] = []
        self._facts: dict[str, Facts] = {}

    def plan(self) -> str:
        """Say in a line what is ahead."""
        each = self.standings.values()
        studies = sum(1 for s in each if s.left)
        of = f" of {studies} studies" if len(self._jobs) > 1 else ""
        return f"{len(self._queued)} trials{of} to run, {sum(s.before for s in each)} finished before"

    def work(self, console: Console) -> None:
        """Run what is left."""
        for job in self._jobs:
            if not self.standings[job.name].left:
                self._end(job)
        if not self._queued:
            return
        measuring = self._backend(self._settings.dispatch)
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
            self._stop(str(gone))
