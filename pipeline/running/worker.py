"""The measuring of one trial, in whatever process it runs: assignment -> outcome."""

import contextlib
import importlib
import os
import re
import shutil
import stat
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lightning_modules.registry import lookups
from pipeline.running.machine import at_once, keep_freed
from pipeline.study import Entries, Given, Row, Trial, measured

PROJECT = Path(__file__).parents[2]
_IMPORTED: set[str] = set()
"""The modules that this process has imported for trials."""


class Assignment(NamedTuple):
    """A trial that is to be measured, and the data, code and processors that it may use."""

    place: int
    """Its place in the queue."""
    entries: Entries
    kind: str
    """The class that measures it, as ``module:Trial``."""
    hash: str
    data: tuple[str, ...]
    """The data sets that its hash covers."""
    reach: frozenset[str]
    """The project's modules that its hash covers."""
    scratch: Path | None
    """The folder for its checkpoints; None for one that is deleted when the trial ends."""
    cpus: int
    gpus: float
    alone: bool
    """Whether nothing else may run on its machine meanwhile."""


class Outcome(NamedTuple):
    """What became of an assignment."""

    rows: list[Row]
    error: str
    """One line if the trial failed, empty otherwise."""
    started: float
    """Seconds since 1970."""
    seconds: float
    """Duration, without imports, which the worker keeps for its next trial."""
    losses: int = 0
    """How often its worker was lost."""


def measure(assignment: Assignment, data: Mapping[str, Any]) -> Outcome:
    """Run one trial; an exception becomes the outcome's error."""
    started, rows, error = time.time(), [], ""
    clock = time.perf_counter()
    try:
        kind = prepare(assignment)
        started, clock = time.time(), time.perf_counter()
        with lookups() as used, _scratch(assignment) as folder:
            given = Given({name: data[name] for name in assignment.data}, folder)
            rows = measured(kind, assignment.entries, given)
        error = _fault(rows, used - assignment.reach)
    except Exception as raised:  # noqa: BLE001 - whatever a study raises is the trial's outcome
        error = in_one_line(raised)
    return Outcome([] if error else rows, error, started, time.perf_counter() - clock)


def prepare(assignment: Assignment) -> type[Trial]:
    """Import all that the trial may use and set its threads; return its class."""
    keep_freed()
    module, _, name = assignment.kind.partition(":")
    if new := {module, *assignment.reach} - _IMPORTED:
        with at_once():
            importlib.import_module(module)
            for other in sorted(new):
                # A module that cannot be imported raises again if the trial really needs it.
                with contextlib.suppress(Exception):
                    importlib.import_module(other)
            if any(map(_names_torch, new)):
                importlib.import_module("torch")
        _IMPORTED.update(new)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(assignment.cpus)
    return getattr(sys.modules[module], name)


def in_one_line(error: BaseException) -> str:
    """Return the error and the place in the project that raised it."""
    message = " ".join(str(error).split())[:300].encode(errors="backslashreplace").decode()
    frames = traceback.extract_tb(error.__traceback__)
    others = "site-packages", sysconfig.get_path("stdlib"), "<frozen", __file__
    ours = [f for f in frames if not any(other in f.filename for other in others)]
    where = f" ({os.path.relpath(ours[-1].filename, PROJECT)}:{ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {message}{where}"


def _names_torch(module: str) -> bool:
    """Return whether a module imports torch anywhere, functions included."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and "import torch" in Path(file).read_text(encoding="utf-8")


@contextlib.contextmanager
def _scratch(assignment: Assignment) -> Iterator[Path]:
    folder = assignment.scratch or _own() / assignment.hash
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if assignment.scratch is None:
            shutil.rmtree(folder, ignore_errors=True)


def _own() -> Path:
    """Return a folder for temporary files that only this user can write to.

    Its name holds the user's number, so that each user of the node has another. If another user
    owns that folder, or others may write to it, a new folder with a random name is made instead.
    """
    user = os.getuid() if hasattr(os, "getuid") else None
    folder = Path(tempfile.gettempdir(), f"gradient-dynamics-{user}")
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    closed = stat.S_ISDIR(found.st_mode) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if user is None or (closed and found.st_uid == user):
        return folder
    return Path(tempfile.mkdtemp(prefix="gradient-dynamics-"))


def _is_text(value: object) -> bool:
    """Return whether a value can be encoded: a text with a lone surrogate cannot."""
    return not isinstance(value, str) or value.isascii() or not re.search(r"[\ud800-\udfff]", value)


def _fault(rows: list[Row], unnamed: set[str]) -> str:
    """Return what is wrong with a trial that ran without error; empty if nothing is."""
    if unnamed:
        used = ", ".join(sorted(unnamed))
        return f"the trial used {used} without naming it: name it in the trial, or import it"
    for row in rows:
        for column, value in row.items():
            if value is not None and type(value) not in (str, int, float, bool):
                kind = type(value).__name__
                return f"column {column!r} holds a {kind}: rows hold str, int, float, bool or None"
            if not isinstance(column, str) or not _is_text(column) or not _is_text(value):
                return f"column {column!r} or what it holds is no text that a file can hold"
    return "" if rows else "the trial returned no rows"
