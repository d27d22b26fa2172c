"""How far a run is: a bar on a terminal, a plain line now and then elsewhere (only rich)."""

import time
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.running.worker import Outcome

EVERY = 10.0
"""Seconds between two plain lines."""


def say(console: Console, line: str) -> None:
    """Print a line as it is."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def shown(
    outcomes: Iterable[Outcome], name: str, total: int, slots: int, console: Console
) -> Iterator[Outcome]:
    """Pass outcomes through, saying how many are done, failed and running, and the time left."""
    show = _bar if console.is_terminal else _lines
    return show(outcomes, name, total, slots, console)


def _bar(
    outcomes: Iterable[Outcome], name: str, total: int, slots: int, console: Console
) -> Iterator[Outcome]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}, left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=total, state="starting")
        for done, state, outcome in _counted(outcomes, total, slots):
            bar.update(task, completed=done, state=state)
            yield outcome


def _lines(
    outcomes: Iterable[Outcome], name: str, total: int, slots: int, console: Console
) -> Iterator[Outcome]:
    start = said = time.monotonic()
    for done, state, outcome in _counted(outcomes, total, slots):
        now = time.monotonic()
        if now - said >= EVERY or done == total:
            said, left = now, round((now - start) / done * (total - done))
            say(console, f"{name}: {done}/{total} trials, {state}, {left} s left")
        yield outcome


def _counted(
    outcomes: Iterable[Outcome], total: int, slots: int
) -> Iterator[tuple[int, str, Outcome]]:
    """Count on: how many are done, and what became of them and of their workers."""
    failed = lost = 0
    for done, outcome in enumerate(outcomes, start=1):
        failed += bool(outcome.error)
        lost += outcome.losses
        workers = f", {lost} workers lost" if lost else ""
        yield done, f"{failed} failed, {min(slots, total - done)} running{workers}", outcome
