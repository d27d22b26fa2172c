"""Do trials that sleep, fail, lose their worker or keep count come out as they should?

Expected: yes.
"""

import dataclasses
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_modules.cells import CELLS
from pipeline.study import Check, Row, Section, Study, Trial


class Params(Section):
    """``kinds`` are run for every seed."""

    kinds: list[str]
    seeds: int
    seconds: float = 0.0
    marks: str = ""
    """A folder outside of the study in which every start of a trial leaves a file."""


def trials(p: Params) -> Iterator[Trial]:
    """Every kind under every seed."""
    for kind in p.kinds:
        for seed in range(p.seeds):
            yield {"kind": kind, "seed": seed, "seconds": p.seconds, "marks": p.marks}


def measure(
    kind: str, seed: int, seconds: float, marks: str, data: Mapping[str, Any], scratch: Path
) -> list[Row]:
    """Return two points of a curve, or do what the kind says."""
    if marks:
        Path(marks, f"{kind}-{seed}-{time.time_ns()}").touch()
    time.sleep(seconds)
    while kind == "waits" and not list(Path(marks).glob("plain-*")):
        time.sleep(0.5)
    if kind == "raises":
        raise ValueError("two lines\nof text")
    if kind == "dies" or (kind == "dies once" and not (scratch / "been").exists()):
        (scratch / "been").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "sneaks":
        CELLS["gru"]
    if kind == "looks":
        return [{"gpu": os.environ.get("CUDA_VISIBLE_DEVICES", "")}]
    if kind == "leaves":
        (scratch / "checkpoint").write_bytes(bytes(100))
    if kind == "not plain":
        return [{"value": object()}]  # pyright: ignore[reportReturnType]
    if kind == "diverges":
        return [{"step": 0, "loss": 1.0}, {"step": 1, "loss": float("inf"), "diverged": True}]
    shift = float(sum(data["numbers"])) if "numbers" in data else 0.0
    return [{"step": step, "loss": seed + step / 10 + shift} for step in (0, 10)]


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Nothing in particular."""
    yield Check("there are rows", len(rows) > 0)


STUDY = Study(__doc__, Params, trials, measure, expects)


def with_data(*names: str) -> Study:
    """Return the study as one that asks for data sets."""
    return dataclasses.replace(STUDY, data=names)
