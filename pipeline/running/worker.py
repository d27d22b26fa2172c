"""One trial, wherever it runs: from a task to its outcome."""

import contextlib
import importlib
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lightning_modules.registry import watch
from pipeline.running.importing import at_once
from pipeline.running.memory import keep_freed
from pipeline.study import Row, Study, Trial


class Task(NamedTuple):
    """A trial and what it may touch."""

    trial: Trial
    hash: str
    data: tuple[str, ...]
    """The data sets that its hash covers."""
    reach: frozenset[str]
    """The project's modules that its hash covers."""
    scratch: Path | None
    """The folder for its checkpoints; None for one that goes when the trial ends."""


class Outcome(NamedTuple):
    """What became of a task."""

    task: Task
    rows: list[Row]
    error: str
    """One line if the trial failed, empty otherwise."""
    started: float
    """Seconds since 1970."""
    seconds: float
    losses: int = 0
    """How often its worker was lost."""


def measure(module: str, task: Task, data: Mapping[str, Any], threads: int) -> Outcome:
    """Run one trial of the study that ``module`` names STUDY; what it raises is its error."""
    started, clock = time.time(), time.perf_counter()
    rows, error = [], ""
    keep_freed()
    try:
        study = load(module)
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(threads)
        given = {name: data[name] for name in task.data}
        with watch() as used, _scratch(task) as folder:
            rows = study.run(dict(task.trial), given, folder)
        error = _fault(rows, used - task.reach)
    except Exception as raised:  # noqa: BLE001 - whatever a study raises is the trial's outcome
        error = in_one_line(raised)
    seconds = time.perf_counter() - clock
    return Outcome(task, [] if error else rows, error, started, seconds)


def load(module: str) -> Study:
    """Import a study by the name of its module."""
    if module not in sys.modules:
        with at_once():
            importlib.import_module(module)
    return sys.modules[module].STUDY  # pyright: ignore[reportAttributeAccessIssue]


def in_one_line(error: BaseException) -> str:
    """Return the error and the place in the project that raised it."""
    message = " ".join(str(error).split())[:300]
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename and f.filename != __file__]
    where = f" ({os.path.relpath(ours[-1].filename)}:{ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {message}{where}"


@contextlib.contextmanager
def _scratch(task: Task) -> Iterator[Path]:
    folder = task.scratch or Path(tempfile.gettempdir(), "gradient-dynamics", task.hash)
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if task.scratch is None:
        shutil.rmtree(folder, ignore_errors=True)


def _fault(rows: list[Row], unnamed: set[str]) -> str:
    """Say what is wrong with a trial that went through; empty if nothing is."""
    if unnamed:
        used = ", ".join(sorted(unnamed))
        return f"the trial used {used} without naming it: name it in the trial, or import it"
    for row in rows:
        for column, value in row.items():
            if value is not None and type(value) not in (str, int, float, bool):
                kind = type(value).__name__
                return f"column {column!r} holds a {kind}: rows hold str, int, float, bool or None"
    return "" if rows else "the trial returned no rows"
