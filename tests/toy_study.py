"""Do trials that sleep, fail, lose their worker or keep count come out as they should?

Expected: yes.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import identity
from pipeline.measuring.probing import Probes, build
from pipeline.study import OTHER, Claim, Count, Given, Needs, Part, Row, Study, Trial, join, single


class Toy(Trial):
    """Two points of a curve, or what ``kind`` says."""

    kind: str
    seconds: float | None = None
    epochs: Count | None = None
    marks: str | None = None
    """A folder in which every start of a trial leaves a file."""
    dataset: str | None = None
    probes: Probes | None = None

    def measure(self, given: Given) -> list[Row]:
        """Return two points of a curve, or do what the kind says."""
        if self.marks:
            Path(self.marks, f"{self.kind}-{self.seed}-{time.time_ns()}").touch()
        time.sleep(self.seconds or 0.0)
        build(self.probes)
        if self.kind in ACTS:
            return ACTS[self.kind](self, given.scratch)
        shift = float(sum(given.data[self.dataset])) if self.dataset else 0.0
        return [{"step": step, "loss": self.seed + step / 10 + shift} for step in (0, 10)]


def _raises(trial: Toy, scratch: Path) -> list[Row]:
    raise ValueError("two lines\nof text")


def _dies(trial: Toy, scratch: Path) -> list[Row]:
    if trial.kind == "dies" or not (scratch / "been").exists():
        (scratch / "been").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [{"value": 1}]


def _sneaks(trial: Toy, scratch: Path) -> list[Row]:
    CELLS["gru"]
    return [{"value": 1}]


def _meets(trial: Toy, scratch: Path) -> list[Row]:
    """Wait for a second trial of this kind to start."""
    while len(list(Path(trial.marks or "").glob("meets-*"))) < 2:
        time.sleep(0.1)
    return [{"value": 1}]


def _leaves(trial: Toy, scratch: Path) -> list[Row]:
    (scratch / "checkpoint").write_bytes(bytes(100))
    return [{"value": 1}]


def _looks(trial: Toy, scratch: Path) -> list[Row]:
    """Tell which process this is, which GPUs it sees, and how many threads it has."""
    import torch

    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "not said")
    return [{"process": os.getpid(), "gpus": gpus, "threads": torch.get_num_threads()}]


def _diverges(trial: Toy, scratch: Path) -> list[Row]:
    return [{"step": 0, "loss": 1.0}, {"step": 1, "loss": float("inf"), "diverged": True}]


def _not_plain(trial: Toy, scratch: Path) -> Any:
    return [{"value": object()}]


ACTS = {
    "raises": _raises,
    "dies": _dies,
    "dies once": _dies,
    "sneaks": _sneaks,
    "meets": _meets,
    "leaves": _leaves,
    "looks": _looks,
    "diverges": _diverges,
    "not plain": _not_plain,
}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Nothing in particular."""
    yield identity("there are rows", len(rows) > 0, str(len(rows)), expected=1)


STUDY = single(Part(__doc__, Toy, expects))


def needing(**needs: Needs) -> Study:
    """Return the study as one of parts that need this and that."""
    return join(
        __doc__,
        None,
        OTHER,
        **{n: Part(__doc__, Toy, expects, needs=each) for n, each in needs.items()},
    )
