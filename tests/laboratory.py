"""A copy of the project with two small cells and a small study, to edit, run and kill."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
CELL = '''"""A cell."""

from torch import Tensor

from lightning_modules.interfaces import Cell
{imports}

class {name}(Cell):
    """A cell."""

    size = {size}

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Say nothing new."""
        # a comment
        return s_BS

    def follow(self, x_TBI, s_BS, resets_TB=None):
        """Follow nobody."""
        raise NotImplementedError
'''
STUDY = '''"""Does the laboratory run?

Expected: yes.
"""

import os
import time
from pathlib import Path

from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import identity
from pipeline.study import Claim, Given, Part, Published, Row, Trial, single

CAPTION = "nothing"


class Toy(Trial):
    """A cell's size and the seed."""

    cell: str
    seconds: float

    def measure(self, given: Given) -> Row:
        Path("marks", f"{self.cell}-{self.seed}-{os.getpid()}").touch()
        (given.scratch / "checkpoint").touch()
        time.sleep(self.seconds)
        return _row(CELLS[self.cell].size, self.seed)


def _row(size, seed):
    return {"value": size + seed / 10}


def expects(rows):
    found = identity("there are rows", len(rows) > 0, str(len(rows)), expected=1)
    yield found.stands_for(Published("rows-there", "Nobody 1990", "some", "any"))


STUDY = single(Part(__doc__, Toy, expects))
'''


class Laboratory:
    """The copy; ``marks`` holds a file for each start of a trial."""

    def __init__(self, folder: Path):
        """Copy the project into ``folder``, with a study ``toy`` and cells ``alpha``, ``beta``."""
        for name in ("lightning_modules", "pipeline"):
            shutil.copytree(ROOT / name, folder / name, ignore=_left_out)
        self.folder, self.marks = folder, folder / "marks"
        self.environment: dict[str, str] = {}
        self.marks.mkdir()
        (folder / "params").mkdir()
        cells = folder / "lightning_modules" / "cells"
        shared = "from lightning_modules.cells._shared import SIZE\n"
        (cells / "_shared.py").write_text("SIZE = 1\n")
        (cells / "alpha.py").write_text(CELL.format(imports=shared, name="Alpha", size="SIZE"))
        (cells / "beta.py").write_text(CELL.format(imports="", name="Beta", size=2))
        (folder / "pipeline" / "studies" / "toy.py").write_text(STUDY)

    def declare(self, cells: list[str], seeds: int, seconds: float = 0.0, backend: str = "inline"):
        """Write the files of parameters, which are YAML if they are JSON."""
        settings = {
            "scale": "quick",
            "studies": ["toy"],
            "data": {"sets": [], "offline": {"quick": "embedded"}},
            "dispatch": {"backend": backend, "workers": 2, "cpus": 1, "gpus": 0, "retries": 3},
        }
        section = {"cell": cells, "seeds": seeds, "seconds": seconds}
        (self.folder / "params.yaml").write_text(json.dumps(settings))
        (self.folder / "params" / "toy.yaml").write_text(json.dumps({"quick": section}))

    def start(self, *command: str, quietly: bool = False) -> subprocess.Popen[str]:
        """Start ``python -m pipeline COMMAND``; what it prints can be read unless ``quietly``."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *command],
            cwd=self.folder,
            env={k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
            | self.environment,
            stdout=subprocess.DEVNULL if quietly else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that it can be stopped with all its children
            preexec_fn=_hears,
        )

    def run(self, *command: str) -> str:
        """Run a command that must go well and return what it printed."""
        process = self.start(*command)
        printed, _ = process.communicate(timeout=100)
        assert process.returncode == 0, printed
        return printed

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the copy."""
        text = (self.folder / path).read_text()
        assert text.count(old) == 1
        (self.folder / path).write_text(text.replace(old, new))

    def starts(self) -> Counter[str]:
        """Count the starts of each trial."""
        return Counter(mark.name.rsplit("-", 1)[0] for mark in self.marks.iterdir())

    def records(self) -> list[dict[str, Any]]:
        """Return the records that the journal holds."""
        path = self.folder / "rows" / "quick" / "toy.jsonl"
        whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
        lines = [json.loads(line) for line in whole.splitlines()]
        return [line for line in lines if "fact" not in line]

    def finished(self) -> set[str]:
        """Name the trials that the journal holds as finished."""
        named = (r["trial"] for r in self.records() if r["status"] == "finished")
        return {f"{trial['cell']}-{trial['seed']}" for trial in named}

    def runs(self, store: str = "mlflow.db") -> Counter[str]:
        """Count MLflow's runs of trials by status."""
        of_trials = (
            "select status from runs join tags using (run_uuid) "
            "where tags.key = 'kind' and tags.value = 'trial'"
        )
        with contextlib.closing(sqlite3.connect(self.folder / store)) as database:
            return Counter(s for (s,) in database.execute(of_trials))


def _hears() -> None:
    """Let a new process hear Ctrl-C, also where the tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return what ``what`` returns as soon as that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what} was never true in {seconds} s")


def part_of_ray(driver: int, name: str) -> int:
    """Return the process of Ray that a driver has started under a name, such as ``raylet``."""
    family = psutil.Process(driver).children(recursive=True)
    return next(p.pid for p in family if p.is_running() and p.name() == name)


def kill(pid: int) -> None:
    """Kill a process that cannot refuse."""
    os.kill(pid, signal.SIGKILL)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Name what is not copied: caches and the real studies."""
    studies = set(names) - {"__init__.py"} if Path(folder).name == "studies" else set()
    return studies | ({"__pycache__"} & set(names))
