"""Builds pages in parallel, in processes of their own that import only what pages need.

Asking for a page returns at once: the page is built in the background, at low priority. A page
whose inputs have not changed is left as it is. An error with one page is reported in one line, and
the others are still built.
"""

import contextlib
import gc
import json
import os
import queue
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from rich.console import Console

from pipeline.errors import UserError
from pipeline.reporting import imprint, overview
from pipeline.running.machine import at_once, processors
from pipeline.studies import STUDIES

if TYPE_CHECKING:
    from pipeline.params import Settings

NICE = 10
"""The niceness of the builders: trials take precedence."""
KILLED = "the process that built its page was killed: python -m pipeline report"


class Printed(NamedTuple):
    """The outcome of building a study's page."""

    name: str
    seconds: float
    """Zero if the page was up to date."""
    error: str = ""
    """The error in one line, if the page could not be built; else empty."""


class Press:
    """Builds pages while the block runs, and at its end the page over all studies.

    An error in the block, or Ctrl-C, drops the pages that are not finished.
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
            settings: the scale, and the studies, whose number limits the processes.
            console: where outcomes are printed.
            broken: the studies that cannot be declared, and why.
            workers: how many processes; if not given, as many as cores.
            root: the folder that holds ``reports``.
        """
        self.settings, self.errors = settings, dict(broken or {})
        self._console, self._root = console, root
        count = min(workers or processors(), max(1, len(settings.studies)))
        self._threads = ThreadPoolExecutor(count)
        self._pages: dict[str, Future[Printed]] = {}
        self._idle: queue.SimpleQueue[_Builder] = queue.SimpleQueue()
        self._builders: list[_Builder] = []

    def __enter__(self) -> Self:
        """Return the press."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Wait for the pages and print each outcome; ``errors`` keeps the errors by study."""
        try:
            if kind is None:
                self._finish()
        finally:
            for page in self._pages.values():
                page.cancel()
            for builder in self._builders:
                builder.kill()
            self._threads.shutdown()
            for builder in self._builders:
                builder.close()

    def print(self, name: str) -> None:
        """Start building a study's page, and return at once."""
        self._pages[name] = self._threads.submit(self._page, name)

    def _finish(self) -> None:
        total = len(self._pages)
        for done, page in enumerate(as_completed(self._pages.values()), start=1):
            name, seconds, error = page.result()
            if error:
                self.errors[name] = error
            if error or seconds:
                self._say(f"page {done} of {total}: {name}: {error or f'built in {seconds:.1f} s'}")
        try:
            page = overview.build(self.settings.scale, list(STUDIES), self._root, self.errors)
            self._say(str(page))
        except UserError as error:
            self.errors["page over all studies"] = str(error)
            self._say(str(error))

    def _page(self, name: str) -> Printed:
        start = time.monotonic()
        try:
            if imprint.is_current(name, self.settings.scale, self._root):
                return Printed(name, 0.0)
            error = self._built(name)
        except OSError as wrong:
            error = _line(wrong)
        return Printed(name, time.monotonic() - start, error)

    def _built(self, name: str) -> str:
        """Have a process build a page; return the error in one line, empty if there is none."""
        try:
            builder = self._idle.get_nowait()
        except queue.Empty:
            builder = _Builder()
            self._builders.append(builder)
        error = builder.build(name, self.settings.scale, self._root)
        if error != KILLED:
            self._idle.put(builder)
        return error

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class _Builder:
    """A process that builds pages one by one; it outlives its parent by one page at most."""

    def __init__(self):
        """Start the process."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def build(self, name: str, scale: str, root: Path) -> str:
        """Build a page; return what went wrong, in one line."""
        asks, answers = self._process.stdin, self._process.stdout
        assert asks
        assert answers
        try:
            asks.write(json.dumps([name, scale, str(root)]) + "\n")
            asks.flush()
            answer = answers.readline()
        except OSError:
            answer = ""
        return json.loads(answer) if answer else KILLED

    def kill(self) -> None:
        """Kill the process, even while it builds: a page is replaced wholly or not at all."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process and close its pipes; no other thread may use them then."""
        self.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


def _serve() -> None:
    """Build the pages that are asked for on stdin, and answer on stdout, until stdin ends.

    It runs at low priority, so that trials go first, and leaves Ctrl-C to its parent.
    """
    os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # keeps a study's prints out of answers
        with at_once():
            import pipeline.reporting.report
            import pipeline.running.jobs  # noqa: F401
        gc.disable()  # a fifth of a page's time; it is collected after each
        for line in sys.stdin:
            name, scale, root = json.loads(line)
            answers.write(json.dumps(_build(name, scale, Path(root))) + "\n")
            try:
                answers.flush()
            except BrokenPipeError:  # nobody waits for it any more
                os._exit(1)
            gc.collect()


def _build(name: str, scale: str, root: Path) -> str:
    """Build a page; return what went wrong, in one line."""
    try:
        from pipeline import params
        from pipeline.reporting import report
        from pipeline.running import jobs

        report.build(jobs.job(params.load().at(scale), name), root)
    except Exception as error:  # noqa: BLE001 - whatever a study's declaration raises is its error
        return _line(error)
    return ""


def _line(error: Exception) -> str:
    """Return what went wrong and where, in one line."""
    if isinstance(error, UserError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f"{os.sep}studies{os.sep}" in f.filename] or frames
    where = f"{os.path.relpath(own[-1].filename)}:{own[-1].lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({where})"


if __name__ == "__main__":
    _serve()
