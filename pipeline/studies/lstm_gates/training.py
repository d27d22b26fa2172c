"""One network trained on one task under probes, as rows: what memory and text share.

Evaluations are rows, the last of which says how it all ended. What probes tell are rows as they
tell them, but for two: of a gate there is also the share of its values that are ``saturated``, the
shut and the open ones together; and of error there is the ``log10`` of its norm, at some steps.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.interfaces import Task
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.measuring import finals
from pipeline.measuring import probing
from pipeline.studies.lstm_gates.variants import build
from pipeline.study import Section

APART = 5
"""Steps between those whose error is a row."""


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
    *,
    variant: str,
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
    seed: int,
    scratch: Path,
    **probes: Any,
) -> tuple[SequenceLearner, list[dict[str, Any]]]:
    """Train a network; return the learner and its rows, the last evaluation's at the end."""
    del variant
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
        probes=probing.build(probes),
    )
    told = [row for row in rows if "probe" not in row]
    return learner, [*_kept(row for row in rows if "probe" in row), *told]


def _kept(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Iterate over the rows that are kept; of a gate, ``below`` comes just before ``above``."""
    shut = 0.0
    for row in rows:
        value = row["value"]
        if row["quantity"] in ("below", "above"):
            yield {**row, "value": round(value, 3)}
            if row["quantity"] == "above":
                yield {**row, "quantity": "saturated", "value": round(shut + value, 3)}
            shut = value
        elif row["probe"] == "error_flow":
            if row["t"] % APART == 0:
                yield {**row, "quantity": "log10", "value": math.log10(value) if value else None}
        elif row["quantity"] != "mean":
            yield row


def evaluated(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the evaluations."""
    return rows[rows["probe"].isna()] if "probe" in rows else rows


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each trial's last evaluation; a run that diverged has an infinite loss."""
    return finals.ends(evaluated(rows), ("task", "variant", "seed"))


def of_probe(rows: pd.DataFrame, probe: str, quantity: str) -> pd.DataFrame:
    """Return a probe's rows of one quantity, none where it was not attached."""
    if "probe" not in rows:
        return rows.head(0)
    return rows[(rows["probe"] == probe) & (rows["quantity"] == quantity)]
