"""Does the loss bend more where its gradient is larger, along training?

Local smoothness is how fast the gradient changes along an update, on the same batch:
‖g(θ + Δθ) - g(θ)‖ / ‖Δθ‖. Zhang et al. found it to grow with ‖g‖ in language models, up to a line
on logarithmic axes, where theory had assumed a bound: that is where a step of fixed rate is too
long and a clipped one is not.

Expected, on each task, under the reference clip: over the measurements of a run, the logarithms
of both correlate, and the fitted exponent is above 0, its 95 % confidence interval over seeds too.

References:
    Zhang, He, Sra & Jadbabaie (2020), Why gradient clipping accelerates training: a theoretical
        justification for adaptivity, ICLR, arXiv:1905.11881.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import PositiveFloat, PositiveInt, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.probes.smoothness import Smoothness
from pipeline.measuring.measures import exponent
from pipeline.studies.cures.runs import DATA, train
from pipeline.studies.online_algorithms.rules import half_width
from pipeline.study import Check, Figure, Rows, Section, Study, Table, Trial, named
from pipeline.tasks import TASKS


class Measured(Section):
    """A task at a size, under the reference clip."""

    length: PositiveInt
    steps: PositiveInt
    """Updates."""
    every: PositiveInt
    """Updates from one measurement to the next."""
    held_out_size: PositiveInt
    learning_rate: PositiveFloat
    threshold: PositiveFloat
    """Of the clip by norm."""

    @model_validator(mode="after")
    def _enough(self) -> "Measured":
        if self.steps < 3 * self.every:
            raise ValueError(
                f"steps is {self.steps}: an exponent takes 3 times every, {self.every}"
            )
        return self


class Params(Section):
    """Every task from every seed."""

    cell: Annotated[str, named(CELLS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    hidden_size: PositiveInt
    deviation: PositiveFloat
    batch_size: PositiveInt
    tasks: dict[Annotated[str, named(TASKS)], Measured]
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every task from every seed."""
    shared = p.model_dump(exclude={"tasks", "seeds"})
    shared |= {"clip": "norm", "decay": None, "strength": None}
    for task, sizes in p.tasks.items():
        for seed in range(p.seeds):
            of_task = {"task": task, "dataset": DATA.get(task), **sizes.model_dump()}
            yield {**of_task, **shared, "seed": seed}


def measure(every: int, data: Mapping[str, Any], scratch: Path, **trial: Any) -> Rows:
    """Train one network; a row for each measurement."""
    probes = [Smoothness(every)]
    rows = train(**trial, evaluate_every=every, probes=probes, data=data, scratch=scratch)
    # What a row tells was measured at the first update since the row before.
    return [
        {**row, "step": max(0, int(row["step"]) - every)} for row in rows if "smoothness" in row
    ]


def fits(rows: pd.DataFrame) -> pd.DataFrame:
    """Return exponent and correlation of each run."""
    lines = []
    for (task, seed), seen in rows.groupby(["task", "seed"], sort=False):
        seen = seen[(seen["norm"] > 0) & (seen["smoothness"] > 0)]
        norm, smoothness = seen["norm"].tolist(), seen["smoothness"].tolist()
        correlation = float(np.corrcoef(np.log(norm), np.log(smoothness))[0, 1])
        lines.append(
            {
                "task": task,
                "seed": seed,
                "exponent": exponent(norm, smoothness)[0],
                "correlation": correlation,
                "measured": len(seen),
            }
        )
    return pd.DataFrame(lines)


def with_width(values: pd.Series) -> tuple[float, float]:
    """Return the mean over seeds and the half-width of its 95 % interval; NaN for one seed."""
    return float(values.mean()), half_width(values)


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Check both on each task."""
    for task, seen in fits(rows).groupby("task", sort=False):
        for name in ("exponent", "correlation"):
            mean, width = with_width(seen[name])
            yield Check(
                f"{task}: smoothness grows with the gradient's norm: {name} above 0, with its 95 % "
                "interval over seeds",
                mean - width > 0,
                f"{mean:.2f} ± {width:.2f}, {len(seen)} seeds",
            )


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the fits by task."""
    lines = []
    for task, seen in fits(rows).groupby("task", sort=False):
        told = {name: with_width(seen[name]) for name in ("exponent", "correlation")}
        words = {name: f"{mean:.2f} ± {width:.2f}" for name, (mean, width) in told.items()}
        lines.append({"task": task, **words, "measurements": int(seen["measured"].sum())})
    return pd.DataFrame(lines)


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Figure(
            name="smoothness",
            title="Local smoothness against the gradient's norm, along training",
            caption="Each point is a measurement, on the batch of the update. A loss with bounded "
            "curvature would keep below a level line.",
            x="norm",
            y="smoothness",
            column="task",
            kind="scatter",
            log_x=True,
            log_y=True,
            labels={
                "norm": "‖g‖",
                "smoothness": "‖Δg‖ / ‖Δθ‖",
                "temporal_order": "temporal order",
                "next_character": "next character",
                "adding": "adding",
            },
        ),
        Table(
            name="smoothness-fits",
            title="Smoothness ~ normᵏ",
            caption="The exponent k and the correlation of the logarithms, mean and half-width of "
            "the 95 % interval over seeds.",
            build=table,
        ),
    ),
    data=tuple(DATA.values()),
)
