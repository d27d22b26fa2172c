"""One network trained on one task under the probes, as rows: what memory and text share.

A row's ``kind`` says what it tells: an ``evaluation``; of a gate, its ``saturation`` and its
``histogram``; the ``horizon`` of error, or its ``flow`` back through time; and the ``end``.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.interfaces import Task
from lightning_modules.probes.error_flow import ErrorFlow
from lightning_modules.probes.gates import Gates
from lightning_modules.probes.horizon import Horizon
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.studies.lstm_gates.variants import build, called
from pipeline.study import Row, Section

APART = 5
"""Steps between those whose error is a row."""
RANGES = ("below .1", "between", "above .9")


class Setting(Section):
    """How long to train on a task, and how large."""

    length: PositiveInt | None
    """Steps of a sequence; None where the task has its own."""
    longest: PositiveInt | None
    """Steps over which chrono initialisation spreads memories; None to leave it out."""
    hidden_size: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    clip: PositiveFloat
    """The most that the gradient's norm may be."""
    steps: PositiveInt
    """Batches."""


def learn(
    source: Task,
    end: Callable[[SequenceLearner, dict[str, Any]], Row],
    *,
    cell: str,
    without: str | None,
    start: str | None,
    bias: float | None,
    longest: int | None,
    algorithm: str,
    horizon: int | None,
    hidden_size: int,
    learning_rate: float,
    clip: float,
    steps: int,
    evaluations: int,
    look_every: int,
    seed: int,
    scratch: Path,
) -> Iterator[Row]:
    """Train, and iterate over the rows; ``end`` judges the trained learner by its last row."""
    torch.manual_seed(seed)
    network = build(cell, without, start, bias, longest, source.input_size, hidden_size)
    learner = SequenceLearner(
        cell=network,
        output_size=source.output_size,
        loss=source.loss,
        algorithm=ALGORITHMS[algorithm](**({} if horizon is None else {"horizon": horizon})),
        update_every=None,
        optimizer="adam",
        learning_rate=learning_rate,
        clip=Clip("norm", clip),
    )
    rows = fit(
        learner,
        source,
        steps=steps,
        evaluate_every=max(1, steps // evaluations),
        seed=seed,
        scratch=scratch,
        probes=[Gates(look_every), Horizon(look_every), ErrorFlow(look_every)],
    )
    shared = {"variant": called(cell, without, start, bias, horizon)}
    for row in _told(rows, end(learner, _last(rows))):
        yield {**shared, "progress": round(100 * int(row["step"] or 0) / steps), **row}


def _last(rows: list[Row]) -> dict[str, Any]:
    """Return the last evaluation."""
    return next(dict(row) for row in reversed(rows) if "probe" not in row)


def _told(rows: list[Row], end: Row) -> Iterator[dict[str, Any]]:
    """Iterate over the rows by kind; a gate's three quantities become rows of their own kinds."""
    gate: dict[str, Any] = {}
    for row in rows:
        step, probe, value = row["step"], row.get("probe"), row.get("value")
        if probe is None:
            yield {"kind": "evaluation", **row}
        elif probe == "horizon":
            yield {"kind": "horizon", "step": step, "steps_back": value}
        elif probe == "error_flow":
            if int(row["t"] or 0) % APART == 0:
                yield {"kind": "flow", "step": step, "t": row["t"], "norm": value}
        else:
            gate[str(row["quantity"])] = value
            if len(gate) == len(RANGES):
                yield from _of_gate(gate, {"step": step, "gate": row["gate"]})
                gate = {}
    last = _last(rows)
    told = {"step": last["step"], "loss": last["held_out_loss"], "diverged": last["diverged"]}
    yield {"kind": "end", **told, **end}


def _of_gate(gate: dict[str, float], of: Row) -> Iterator[dict[str, Any]]:
    """Iterate over what there is to say of one gate at one time."""
    shut, open_ = gate["below"], gate["above"]
    yield {"kind": "saturation", **of, "mean": gate["mean"], "saturated": shut + open_}
    for name, share in zip(RANGES, (shut, 1 - shut - open_, open_), strict=True):
        yield {"kind": "histogram", **of, "range": name, "share": share}


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each trial ended; a run that diverged has an infinite loss."""
    last = rows[rows["kind"] == "end"]
    return last.assign(loss=pd.to_numeric(last["loss"]).fillna(float("inf")))
