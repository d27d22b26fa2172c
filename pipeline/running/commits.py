"""The project's code at a commit, in a temporary folder, and processes that run it there."""

import contextlib
import io
import json
import os
import queue
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.running.fingerprint import PACKAGES

SCRIPT = Path(__file__).resolve().with_name("answering.py")
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",  # results on the CPU are reproducible bit for bit
}


class FailedError(Exception):
    """What was asked of a commit's code could not be answered; the message is one line."""


class Commit:
    """A commit's code; several threads may call ``ask``, each then uses its own process."""

    def __init__(self, name: str, folder: Path):
        """Name the commit in short and the folder that holds its code."""
        self.name, self._folder = name, folder
        self._idle: queue.LifoQueue[subprocess.Popen[str]] = queue.LifoQueue()
        self._started: list[subprocess.Popen[str]] = []
        self._closed = False

    def ask(self, what: str, **about: Any) -> Any:
        """Return the answer to a request; FailedError if it raises or its process dies."""
        try:
            process = self._idle.get_nowait()
        except queue.Empty:
            process = self._start()
        try:
            assert process.stdin
            assert process.stdout
            print(json.dumps({"ask": what, **about}), file=process.stdin, flush=True)
            reply = process.stdout.readline()
        except (OSError, ValueError):
            reply = ""
        if not reply.endswith("\n"):
            raise FailedError(f"its process ended: {self._last_words()}")
        self._idle.put(process)
        answer = json.loads(reply)
        if "error" in answer:
            raise FailedError(answer["error"])
        return answer["reply"]

    def close(self) -> None:
        """Kill all processes, whatever they are doing."""
        self._closed = True
        for process in self._started:
            process.kill()
        for process in self._started:
            process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        if self._closed:
            raise FailedError("closed")
        with self._errors.open("a") as errors:
            process = subprocess.Popen(
                [sys.executable, "-P", str(SCRIPT)],
                cwd=self._folder,
                env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ONE_THREAD,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C is the driver's: it ends them
            )
        self._started.append(process)
        return process

    @property
    def _errors(self) -> Path:
        return self._folder / "errors.txt"

    def _last_words(self) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@contextlib.contextmanager
def code_of(commit: str) -> Iterator[Commit]:
    """Unpack a commit's code while the block runs.

    Raises:
        UserError: git does not know the commit, or it does not hold the project's packages.
    """
    short = _git("rev-parse", "--short", "--verify", "--quiet", f"{commit}^{{commit}}")
    if short is None:
        raise UserError(f"{commit!r} is no commit here: `git log --oneline` lists them")
    held = _git("archive", "--format=tar", short.decode().strip(), "--", *PACKAGES)
    if held is None:
        raise UserError(f"{commit!r} holds no {' and '.join(PACKAGES)}: name one that does")
    with tempfile.TemporaryDirectory(prefix="commit-") as folder:
        with tarfile.open(fileobj=io.BytesIO(held)) as archive:
            # Set as an attribute, which Python before 3.11.4 ignores.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(folder)  # nosec B202 - git's own archive of this repository
        lent = Commit(short.decode().strip(), Path(folder))
        try:
            yield lent
        finally:
            lent.close()


def changed() -> list[str]:
    """Return the files of the project's code with uncommitted changes; UserError without git."""
    told = _git("status", "--porcelain", "--untracked-files=all", "--", *PACKAGES)
    if told is None:
        raise UserError("this folder is no git repository: code is compared between commits")
    return [line[3:] for line in told.decode(errors="replace").splitlines()]


def _git(*command: str) -> bytes | None:
    """Return what git prints, None if it refuses."""
    try:
        done = subprocess.run(["git", *command], capture_output=True, check=False)
    except FileNotFoundError:
        raise UserError("git is not installed: code is compared between its commits") from None
    return None if done.returncode else done.stdout
