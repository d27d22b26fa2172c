"""Builds pages side by side, in processes of their own that import what a page needs alone.

Whoever asks for a page need not wait: it is built beside, at low priority. A page whose inputs have
not changed is left as it is. What goes wrong with one is said in one line, and the others go on.
"""

import gc
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from rich.console import Console

from pipeline.errors import UserError
from pipeline.reporting import imprint, overview
from pipeline.running.machine import at_once, processors

if TYPE_CHECKING:
    from pipeline.params import Settings

NICE = 10
"""How much more the trials beside count."""


class Printed(NamedTuple):
    """What became of a study's page."""

    name: str
    seconds: float
    """Zero if the page was up to date."""
    error: str = ""
    """One line if there is no page of what there is now, empty otherwise."""


class Press:
    """Builds pages while the block runs, and at its end the page over all studies.

    An error in the block drops the pages that are not begun.
    """

    def __init__(
        self,
        settings: "Settings",
        console: Console,
        broken: Mapping[str, str] | None = None,
        *,
        workers: int | None = None,
        root: Path = Path(),
    ):
        """Start nothing yet.

        Args:
            settings: the scale, and the studies that the page over all of them shows.
            console: where to say what became of the pages.
            broken: the studies that cannot be declared, and why.
            workers: how many processes; if not given, as many as cores.
            root: the folder that holds ``reports``.
        """
        self.settings, self.errors = settings, dict(broken or {})
        self._console, self._root = console, root
        count = min(workers or processors(), max(1, len(settings.studies)))
        spawn = multiprocessing.get_context("spawn")
        self._processes = ProcessPoolExecutor(count, spawn, _begin)  # each starts when needed
        self._threads = ThreadPoolExecutor(count)
        self._pages: dict[str, Future[Printed]] = {}

    def __enter__(self) -> Self:
        """Return the press."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Wait for the pages and say what became of each; ``errors`` keeps what went wrong."""
        try:
            if kind is None:
                self._finish()
        finally:
            self._threads.shutdown(cancel_futures=True)
            self._processes.shutdown(cancel_futures=True)

    def print(self, name: str) -> None:
        """Begin a study's page, and return at once."""
        self._pages[name] = self._threads.submit(self._page, name)

    def _finish(self) -> None:
        total = len(self._pages)
        for done, page in enumerate(as_completed(self._pages.values()), start=1):
            name, seconds, error = page.result()
            if error:
                self.errors[name] = error
            how = f"built in {seconds:.1f} s" if seconds else "up to date"
            self._say(f"page {done} of {total}: {name}: {error or how}")
        try:
            scale, studies = self.settings.scale, self.settings.studies
            self._say(str(overview.build(scale, studies, self._root, self.errors)))
        except UserError as error:
            self.errors["page over all studies"] = str(error)
            self._say(str(error))

    def _page(self, name: str) -> Printed:
        start, scale = time.monotonic(), self.settings.scale
        try:
            if imprint.is_current(name, scale, self._root):
                return Printed(name, 0.0)
            error = self._processes.submit(_build, name, scale, self._root).result()
        except BrokenProcessPool:
            error = "the process that built its page was killed: python -m pipeline report"
        except OSError as wrong:
            error = _line(wrong)
        return Printed(name, time.monotonic() - start, error)

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _begin() -> None:
    """Give way to the trials, leave Ctrl-C to the parent, and end with it however it ends."""
    os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()
    with at_once():
        import pipeline.reporting.report
        import pipeline.running.jobs  # noqa: F401
    gc.disable()  # a fifth of a page's time; ``_build`` collects after each


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _build(name: str, scale: str, root: Path) -> str:
    """Build a page; return what went wrong, in one line."""
    try:
        from pipeline import params
        from pipeline.reporting import report
        from pipeline.running import jobs

        report.build(jobs.job(params.load().at(scale), name), root)
    except Exception as error:  # noqa: BLE001 - whatever a study's declaration raises is its error
        return _line(error)
    finally:
        gc.collect()
    return ""


def _line(error: Exception) -> str:
    """Return what went wrong and where, in one line."""
    if isinstance(error, UserError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f"{os.sep}studies{os.sep}" in f.filename] or frames
    where = f"{os.path.relpath(own[-1].filename)}:{own[-1].lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({where})"
