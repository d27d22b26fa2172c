"""The process beside the driver that logs the journals' records to MLflow.

It is sent no records: it reads the journals as they grow, and logs new records first, then older
ones. It runs at low priority, so as not to slow trials, and ends with the driver. Lines of JSON
tell it which journals to read and, later, that the run is over; by lines of JSON it reports how far
it is.
"""

import contextlib
import fcntl
import json
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import UserError
from pipeline.running.browsing import About
from pipeline.running.journal import Facts, Record
from pipeline.running.machine import at_once

PATIENCE, IMPORTING = 20.0, 240.0
"""Seconds for which the process may say nothing: when it logs, and when it imports MLflow.

That takes eight on an idle machine; it yields to trials, so on a busy one it takes minutes.
"""
IDLE, PAUSE, TOLD = 5.0, 0.3, 0.3
"""Seconds until it starts on older records alone; between looks at journals; between reports."""


def follow() -> None:
    """Run the process: read the journals that the first line of input names, and log them."""
    os.nice(10)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # MLflow prints
    asked = json.loads(sys.stdin.readline())
    ending = _Ending()
    with contextlib.suppress(BrokenPipeError):
        try:
            _log(
                [_Tail(**each) for each in asked], ending, lambda w: out.write(json.dumps(w) + "\n")
            )
        except UserError as error:
            out.write(json.dumps({"error": str(error)}) + "\n")
        except Exception as error:  # noqa: BLE001 - nothing here may touch the run
            line = f"MLflow: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            out.write(json.dumps({"error": line}) + "\n")
    os._exit(0)  # without waiting for threads that MLflow has started


def size_of(path: Path) -> tuple[int, int]:
    """Return a file's inode and its size in bytes; zeros if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_ino, stat.st_size


class _Tail:
    """One journal as the process reads it: the records that are still to be logged."""

    def __init__(
        self,
        study: str,
        scale: str,
        path: str,
        size: Sequence[int],
        lock: str,
        about: Sequence[Any],
    ):
        """Read what is there; beyond ``size`` it is new."""
        self.study, self.scale, self.facts = study, scale, Facts()
        self.about = About(*about)
        self.new, self.older = deque[Record](), deque[Record]()
        self._path, self._old, self._lock = Path(path), tuple(size), Path(lock)
        self._file, self._at, self._seen = 0, 0, set[str]()
        self._open: TextIO | None = None
        self.read()
        # In order of time, so that MLflow's runs since the earliest are listed only once.
        self.older = deque(sorted(self.older, key=lambda record: record.started))

    def read(self) -> None:
        """Read what was appended to the file; a file that was replaced is read from its start."""
        file, size = size_of(self._path)
        if file != self._file or size < self._at:
            self._file, self._at = file, 0
        if size <= self._at:
            return
        with self._path.open("rb") as journal:
            journal.seek(self._at)
            for line in journal:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                self._take(line)

    def _take(self, text: bytes) -> None:
        """Keep a line's record or fact; other lines are ignored, the driver reports them."""
        with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError):
            line = json.loads(text)
            if "fact" in line:
                self.facts[line["fact"]] = line["holds"]
                return
            record = Record.of(line)
            if record.id not in self._seen:
                self._seen.add(record.id)
                old = self._file == self._old[0] and self._at <= self._old[1]
                (self.older if old else self.new).append(record)

    def own(self) -> bool:
        """Lock this journal for logging; return False if another process here holds the lock."""
        if self._open is None:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            self._open = self._lock.open("a")
        try:
            fcntl.flock(self._open, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class _Ending:
    """Whether the driver has said that the run is over, or is gone."""

    def __init__(self):
        """Start listening."""
        self.told, self.gone = threading.Event(), threading.Event()
        self._older: float | None = 0.0
        self._since, self._parent = 0.0, os.getppid()
        threading.Thread(target=self._listen, daemon=True).start()

    def is_alone(self) -> bool:
        """Return whether the driver is gone."""
        return self.gone.is_set() or os.getppid() != self._parent

    def is_over(self) -> bool:
        """Return whether the run is over and the time for older records is used up."""
        over = self._older is not None and time.monotonic() - self._since > self._older
        return self.told.is_set() and over

    def _listen(self) -> None:
        for line in sys.stdin:
            self._older, self._since = json.loads(line)["older"], time.monotonic()
            self.told.set()
        self.gone.set()
        time.sleep(2)  # so that the run that is being logged is completed
        os._exit(1)


def _log(tails: list[_Tail], ending: _Ending, tell: Callable[[dict[str, Any]], object]) -> None:
    """Log the journals' records until the run is over and all are logged, or the driver is gone."""
    logged = Counter[str]()

    def say(patience: float = PATIENCE, *, ended: bool = False) -> None:
        counts = {"new": sum(len(t.new) for t in tails), "older": sum(len(t.older) for t in tails)}
        known = {"logged": logged.total(), "studies": logged, "patience": patience, "ended": ended}
        tell({**counts, **known})

    say()
    if not _awaited(tails, ending):
        say(ended=True)
        return
    for tail in tails:
        if not tail.own():
            raise UserError(
                f"MLflow: {tail.study} ({tail.scale}) is being logged by another process"
            )
    say(IMPORTING)
    with at_once():
        from pipeline.running.tracking import Tracker

        tracker, said = Tracker(answered=say), 0.0
    while not ending.is_alone():
        told = ending.told.is_set()
        for tail in tails:
            tail.read()
        tail = _next(tails, ending)
        if tail is not None:
            record = (tail.new or tail.older).popleft()
            of = tail.study, tail.scale, [record], tail.facts, tail.about
            logged[tail.study] += tracker.sync(*of)
        elif told:
            say(ended=True)
            return
        else:
            ending.told.wait(PAUSE)
        if time.monotonic() - said > TOLD:
            said = time.monotonic()
            say()


def _next(tails: list[_Tail], ending: _Ending) -> _Tail | None:
    """Return the journal whose record is logged next, new records first; None if there is none."""
    older = () if ending.is_over() else (t for t in tails if t.older)
    return next((t for t in tails if t.new), None) or next(iter(older), None)


def _awaited(tails: list[_Tail], ending: _Ending) -> bool:
    """Wait until there is something to log; return False if there never was."""
    start = time.monotonic()
    while not ending.is_alone():
        told = ending.told.is_set()
        for tail in tails:
            tail.read()
        idle = time.monotonic() - start > IDLE
        if any(t.new or (t.older and (idle or told)) for t in tails):
            return True
        if told:
            return False
        ending.told.wait(PAUSE)
    return False
