"""Journals are logged to MLflow as they grow, by a separate process that trials never wait for.

This is the driver's side; the process itself is ``tailing``. When the run is over the process is
told so, and it logs what is left within bounded time. An error in it is reported in one line and
changes no result.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import pipeline
from pipeline.errors import UserError
from pipeline.running import tailing
from pipeline.running.browsing import about
from pipeline.running.progress import EVERY, say
from pipeline.running.tailing import PATIENCE, size_of

if TYPE_CHECKING:
    from pipeline.running.jobs import Job

LONGEST, OLDER = 300.0, 20.0
"""Seconds after a run for logging all that is left, and for records older than the run."""
CATCHES_UP = "`python -m pipeline track` catches up"


@contextlib.contextmanager
def following(jobs: "Sequence[Job]", console: Console) -> Iterator[None]:
    """Log the journals to MLflow while the block runs, and what is left at its end.

    If the block has written nothing, or ends in an error, nothing is waited for.
    """
    beside = _Beside(jobs)
    try:
        yield
        if beside.has_work():
            _catch_up(beside, console)
    finally:
        beside.stop()


def track(jobs: "Sequence[Job]", console: Console) -> dict[str, int]:
    """Log all records that MLflow lacks; return how many runs were logged, by study.

    Raises:
        UserError: MLflow does not answer, or refuses.
    """
    beside = _Beside(jobs)
    try:
        logged = _shown(beside.words(whole=True), console)["studies"]
        return {job.name: logged.get(job.name, 0) for job in jobs}
    finally:
        beside.stop()


def _catch_up(beside: "_Beside", console: Console) -> None:
    """Wait for the process to log what is left; say in one line what it could not."""
    try:
        older = _shown(beside.words(whole=False), console)["older"]
        remark = f"MLflow lacks {older:,} older runs" if older else ""
    except UserError as error:
        remark = str(error)
    except KeyboardInterrupt:
        remark = "MLflow: interrupted; trials are kept"
    if remark:
        say(console, f"{remark}; {CATCHES_UP}")


class _Beside:
    """The process that logs, as the driver sees it."""

    def __init__(self, jobs: "Sequence[Job]"):
        """Start the process."""
        self._paths = {job.journal.path.resolve(): size_of(job.journal.path) for job in jobs}
        asked = [
            {
                "study": job.name,
                "scale": job.scale,
                "path": str(job.journal.path.resolve()),
                "size": size_of(job.journal.path),
                "lock": str(job.scratch.with_name(f"{job.scratch.name}.mlflow")),
                "about": about(job),
            }
            for job in jobs
        ]
        here = str(Path(pipeline.__file__).parents[1])
        paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {tailing.__name__} import follow; follow()"],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
                "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is the driver's
        )
        self._words: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self._write(asked)

    def has_work(self) -> bool:
        """Return whether the journals have changed since the start."""
        return any(size_of(path) != size for path, size in self._paths.items())

    def words(self, *, whole: bool) -> Iterator[dict[str, Any]]:
        """Tell the process that the run is over; iterate over its reports until it has ended.

        ``whole`` waits for older records as well, however long that takes.

        Raises:
            UserError: the process failed, or takes too long.
        """
        self._write({"older": None if whole else OLDER})
        start, patience = time.monotonic(), PATIENCE
        while True:
            try:
                word = self._words.get(timeout=patience)
            except queue.Empty:
                raise UserError(f"MLflow: no answer within {patience:.0f} s") from None
            if "error" in word:
                raise UserError(word["error"])
            patience = word["patience"]
            yield word
            if word["ended"]:
                return
            if not whole and time.monotonic() - start > LONGEST:
                raise UserError(f"MLflow: {word['new']:,} runs not logged in {LONGEST:.0f} s")

    def stop(self) -> None:
        """Kill the process, if it has not ended."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # pyright: ignore[reportOptionalMemberAccess]

    def _write(self, content: Any) -> None:
        """Send a line as JSON; if the process has ended, ``_listen`` notices."""
        pipe = self._process.stdin
        with contextlib.suppress(OSError):
            pipe.write(json.dumps(content) + "\n")  # pyright: ignore[reportOptionalMemberAccess]
            pipe.flush()  # pyright: ignore[reportOptionalMemberAccess]

    def _listen(self) -> None:
        """Queue the reports of the process, and an error when its output ends."""
        for line in self._process.stdout or ():
            self._words.put(json.loads(line))
        self._words.put({"error": "MLflow: the process that logs has ended"})


def _shown(words: Iterator[dict[str, Any]], console: Console) -> dict[str, Any]:
    """Show what is left while the process catches up; return its last report."""
    show = _bar if console.is_terminal else _lines
    return show(words, console)


def _bar(words: Iterator[dict[str, Any]], console: Console) -> dict[str, Any]:
    word: dict[str, Any] = {}
    columns = (
        TextColumn("MLflow catches up"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        for word in words:
            bar.update(task, completed=word["logged"], total=word["logged"] + _left(word))
    return word


def _lines(words: Iterator[dict[str, Any]], console: Console) -> dict[str, Any]:
    word: dict[str, Any] = {}
    start = said = time.monotonic()
    before = None
    for word in words:
        before = word["logged"] if before is None else before
        now = time.monotonic()
        left = _left(word)
        if now - said >= EVERY and left and word["logged"] > before:
            said = now
            seconds = round((now - start) / (word["logged"] - before) * left)
            say(console, f"MLflow: {word['logged']:,} runs logged, {left:,} left, {seconds} s left")
    return word


def _left(word: dict[str, Any]) -> int:
    return word["new"] + word["older"]
