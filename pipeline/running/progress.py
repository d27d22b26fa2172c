"""The progress of a run: a live table on a terminal, elsewhere a plain line every 10 seconds."""

import contextlib
import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pipeline.running.journal import Record

EVERY = 10.0
"""Seconds between two plain lines."""
LEAST = 0.001
"""The least seconds that a trial is counted with."""


class Waiting(NamedTuple):
    """Why a trial is not run."""

    reason: str
    for_data: bool = False
    """Whether the only reason is a data set that cannot be had."""


@dataclasses.dataclass
class Standing:
    """The progress of one study; each of its trials is counted once."""

    name: str
    before: int = 0
    """Trials that had finished before this run."""
    finished: int = 0
    """Trials that have finished in this run."""
    failed: list[Record] = dataclasses.field(default_factory=list)
    waiting: dict[str, Waiting] = dataclasses.field(default_factory=dict)
    """By the trial's key."""
    left: int = 0
    """Trials that have not ended yet."""

    @property
    def done(self) -> int:
        """Trials that have finished, before and now."""
        return self.before + self.finished

    @property
    def total(self) -> int:
        """All trials that the study's file asks for."""
        return self.done + len(self.failed) + len(self.waiting) + self.left


class _Counts(NamedTuple):
    """How many trials are in which state."""

    done: int = 0
    failed: int = 0
    running: int = 0
    waiting: int = 0
    left: int = 0
    """Trials that have not ended, running ones included."""

    @classmethod
    def of(cls, standing: Standing, running: Counter[str]) -> "_Counts":
        return cls(
            standing.done,
            len(standing.failed),
            running[standing.name],
            len(standing.waiting),
            standing.left,
        )

    @classmethod
    def together(cls, several: Iterable["_Counts"]) -> "_Counts":
        return cls(*map(sum, zip(cls(), *several, strict=True)))

    @property
    def total(self) -> int:
        return self.done + self.failed + self.waiting + self.left


class Clock:
    """Estimates the time left, from expected seconds and those measured so far."""

    def __init__(self, expected: Iterable[tuple[str, float | None]]):
        """Take each trial's part, and the seconds that it is expected to take, None if unknown."""
        expected = list(expected)
        self._known = sum(seconds for _, seconds in expected if seconds is not None)
        self._unknown = Counter(part for part, seconds in expected if seconds is None)
        self._measured: dict[str, tuple[int, float]] = {}
        self._foreseen, self._taken = 0.0, 0.0
        self._spent, self._ended, self._start = 0.0, 0, 0.0

    def count(self, part: str, expected: float | None, seconds: float | None) -> None:
        """Count a trial that is no longer left; ``seconds`` is None if it was not measured."""
        if expected is None:
            self._unknown[part] -= 1
        else:
            self._known -= expected
        if seconds is None:
            return
        if not self._ended:
            self._start = time.monotonic() - seconds
        trials, whole = self._measured.get(part, (0, 0.0))
        self._measured[part] = trials + 1, whole + seconds
        self._spent, self._ended = self._spent + max(seconds, LEAST), self._ended + 1
        if expected is not None:
            self._foreseen, self._taken = self._foreseen + expected, self._taken + seconds

    def left(self, slots: int) -> float | None:
        """Return the seconds left if ``slots`` trials run at once; None if not known yet."""
        if not self._ended:
            return None if self._unknown.total() else self._known / slots
        # Expected seconds may come from a faster machine, or from another scale.
        pace = self._taken / self._foreseen if self._foreseen else 1.0
        rest, usual = max(0.0, self._known) * pace, self._spent / self._ended
        for part, trials in list(self._unknown.items()):
            ended, whole = self._measured.get(part, (0, 0.0))
            rest += trials * max(whole / ended if ended else usual, LEAST)
        return max(0.0, rest * (time.monotonic() - self._start) / self._spent)


class Progress:
    """What is shown while the trials run."""

    def __init__(
        self,
        standings: Sequence[Standing],
        clock: Clock,
        running: Callable[[], Counter[str]],
        slots: Callable[[], int],
    ):
        """Take what is shown; ``running`` returns how many trials of each study run now."""
        self._standings, self._clock = standings, clock
        self._running, self._slots = running, slots

    @contextlib.contextmanager
    def shown(self, console: Console) -> Iterator[None]:
        """Show the progress while the block runs, and one line at its end."""
        with self._live(console) if console.is_terminal else self._plain(console):
            yield
        say(console, self.line())

    def line(self) -> str:
        """Return the whole run in a line, with the studies that are not done."""
        each = self._counts()
        whole = _Counts.together(each.values())
        way = [f"{name} {n.done}/{n.total}" for name, n in each.items() if n.left]
        state = f"{whole.failed} failed, {whole.running} running, {whole.waiting} waiting"
        under_way = f" ({', '.join(way)})" if way else ""
        return f"{whole.done}/{whole.total} trials, {state}, {self._left()}{under_way}"

    def table(self) -> Table:
        """Return a table with a line for each study that is not done, and one for all."""
        shown = Table("study", *_Counts._fields[:4], "of", box=None, caption=self._left())
        each = self._counts()
        for name, counts in [*each.items(), ("all", _Counts.together(each.values()))]:
            if name == "all" or counts.done < counts.total:
                shown.add_row(name, *(f"{n:,}" for n in (*counts[:4], counts.total)))
        return shown

    def _counts(self) -> dict[str, _Counts]:
        running = self._running()
        return {s.name: _Counts.of(s, running) for s in self._standings}

    def _live(self, console: Console) -> contextlib.AbstractContextManager[object]:
        return Live(get_renderable=self.table, console=console, transient=True)

    @contextlib.contextmanager
    def _plain(self, console: Console) -> Iterator[None]:
        over = threading.Event()

        def speak() -> None:
            while not over.wait(EVERY):
                say(console, self.line())

        speaker = threading.Thread(target=speak, daemon=True)
        speaker.start()
        try:
            yield
        finally:
            over.set()
            speaker.join()

    def _left(self) -> str:
        seconds = self._clock.left(self._slots())
        if seconds is None:
            return "time left not known yet"
        if seconds < 100:
            return f"{seconds:.0f} s left"
        return f"{seconds / 60:.0f} min left" if seconds < 6000 else f"{seconds / 3600:.1f} h left"


def say(console: Console, line: str) -> None:
    """Print a line unchanged."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)
