"""Commands in this process, in a project of their own: hundreds of them take seconds."""

import contextlib
import io
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline import __main__ as line
from pipeline.reporting import press
from pipeline.running import following
from pipeline.studies import STUDIES
from tests import toy_study

COMMON = """\
scale: quick
studies: [toy]
data:
  sets: [mnist]
  offline:
    quick: embedded
    standard: error
dispatch:
  backend: inline
  workers: 1
  cpus: 1
  gpus: 0
  retries: 1
"""
SECTION = """\
quick:
  kind: [plain, diverges]
  seeds: 2
"""


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


class Project:
    """A folder with the two files of parameters, and the commands in it; its study is ``toy``."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        """Write what is right, and be there."""
        self.folder, self.patch = folder, monkeypatch
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", "200")
        for name in ("RAY_ADDRESS", "MLFLOW_TRACKING_URI", "DATA_MIRROR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        monkeypatch.setattr(STUDIES, "_names", ["pooling", "toy"])
        monkeypatch.setitem(sys.modules, "pipeline.studies.toy", toy_study)
        # Both have processes of their own, which do not know the study.
        monkeypatch.setattr(following, "following", lambda *_: contextlib.nullcontext())
        monkeypatch.setattr(press, "Press", _NoPress)
        (folder / "params").mkdir()
        self.write("params.yaml", COMMON)
        self.write("params/toy.yaml", SECTION)

    def path(self, name: str) -> Path:
        """Return a file of the project, its folder made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, content: str | bytes) -> None:
        """Put this into a file."""
        content = content.encode() if isinstance(content, str) else content
        self.path(name).write_bytes(content)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace words of a file."""
        text = self.path(name).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def run(self, *command: str) -> Said:
        """Give a command and return what became of it; a traceback is an error of the test."""
        out, err = io.StringIO(), io.StringIO()
        with self.patch.context() as patch:
            patch.setattr(sys, "argv", ["pipeline", *command])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                line.main()
        code = ended.value.code
        return Said(
            code if isinstance(code, int) else int(bool(code)), out.getvalue(), err.getvalue()
        )


class _NoPress:
    """Builds no pages."""

    def __init__(self, settings: object, console: object, broken: dict[str, str]):
        self.errors = broken

    def __enter__(self) -> "_NoPress":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def print(self, name: str) -> None:
        """Build none."""
