"""Do the algorithms forecast as well, online, as a public project found them to?

A simple recurrent network forecasts the next value of a series of unit variance, in the set-up of
that project: 64 tanh units whose biases start at 0, 8 lanes, Adam at 1e-3, an update at every step
from its mean loss, the state reset every 200 steps, 15,000 steps. The figure is the mean squared
error of the forecasts made while learning, over the last sixth of the steps; since the variance is
1 it is the normalised error, NMSE. Its truncated BPTT takes windows of 25 steps, with an update
after each; the traces of its RFLO leak at a rate of their own (``rflo_fixed``); its Mackey-Glass
series looks back 16 steps, not the usual 17, and so does ours here.

Expected, on Hénon, Mackey-Glass and Lorenz: exact gradients forecast better than a reservoir does;
after the published 15,000 steps, the published order holds (of each pair of algorithms whose
published means lie further apart than their two standard deviations together, the better one is
the better one here), and exact gradients and SnAp-1 are within 30 % of the published means. Shorter
runs are shown beside the published figures without a verdict.

References:
    sonaradarcn/sketched-rtrl, a public repository: set-up and figures. Of sunspots it has another
        version of the series, shown for context.
    Hénon (1976), A two-dimensional mapping with a strange attractor, Comm. Math. Phys. 50.
    Mackey & Glass (1977), Oscillation and chaos in physiological control systems, Science 197.
    Lorenz (1963), Deterministic nonperiodic flow, J. Atmos. Sci. 20(2).
"""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner
from pipeline.studies.online_algorithms.published import (
    CLOSE,
    TABLE,
    TOLD,
    ends,
    near,
    upset,
    whole,
)
from pipeline.studies.online_algorithms.rules import build, called, rules
from pipeline.study import Check, Figure, Rows, Section, Study, Trial, named
from pipeline.tasks import TASKS

DATA = {"sunspots": "sunspots"}
"""Tasks that read a data set, and which."""


class Params(Section):
    """Every task under every rule; of TBPTT, sliding horizons and one window that is chopped."""

    cell: Annotated[str, named(CELLS)]
    tasks: dict[Annotated[str, named(TASKS)], dict[str, PositiveInt]]
    """Each with what it is built with besides."""
    algorithms: list[Annotated[str, named(ALGORITHMS)]]
    horizons: list[PositiveInt]
    """Of TBPTT with an update at every step."""
    window: PositiveInt
    """Of TBPTT with an update after each window; it is the length of a batch, too."""
    hidden_size: PositiveInt
    lanes: PositiveInt
    reset_every: PositiveInt
    learning_rate: PositiveFloat
    steps: PositiveInt
    every: PositiveInt
    """Steps of which a row gives the mean loss."""
    held_out_size: PositiveInt
    seeds: PositiveInt

    @model_validator(mode="after")
    def _divide(self) -> "Params":
        for name in ("steps", "every"):
            if getattr(self, name) % self.window:
                raise ValueError(f"{name} must be a multiple of window, {self.window}")
        if self.steps % self.every:
            raise ValueError(f"steps is {self.steps}: it must be a multiple of every, {self.every}")
        return self


def trials(p: Params) -> Iterator[Trial]:
    """Every task under every rule and seed."""
    chopped = {"algorithm": "tbptt", "horizon": p.window, "stride": p.window}
    online = ({**rule, "stride": None} for rule in rules(p.algorithms, p.horizons))
    shared = p.model_dump(exclude={"tasks", "algorithms", "horizons", "seeds"})
    tasks = [
        {"task": t, "dataset": DATA.get(t), "delay": o.get("delay")} for t, o in p.tasks.items()
    ]
    for rule, task, seed in itertools.product([*online, chopped], tasks, range(p.seeds)):
        yield {**task, **rule, **shared, "seed": seed}


def measure(
    task: str,
    dataset: str | None,
    delay: int | None,
    algorithm: str,
    horizon: int | None,
    stride: int | None,
    cell: str,
    window: int,
    hidden_size: int,
    lanes: int,
    reset_every: int,
    learning_rate: float,
    steps: int,
    every: int,
    held_out_size: int,
    seed: int,
    data: Mapping[str, Any],
    scratch: Path,
) -> Rows:
    """Forecast online; a row for ``every`` so many steps, with their mean loss."""
    torch.manual_seed(seed)
    given = [data[dataset]] if dataset else []
    source = TASKS[task](
        *given,
        seed=seed,
        batch_size=lanes,
        length=window,
        held_out_size=held_out_size,
        reset_every=reset_every,
        **({"delay": delay} if delay else {}),
    )
    network = CELLS[cell](source.input_size, hidden_size)
    torch.nn.init.zeros_(network.b)
    learner = SequenceLearner(
        cell=network,
        output_size=source.output_size,
        loss=source.loss,
        algorithm=build(algorithm, horizon, stride),
        update_every=stride or 1,
        optimizer="adam",
        learning_rate=learning_rate,
    )
    batches, apart = steps // window, every // window
    rows = fit(learner, source, steps=batches, evaluate_every=apart, seed=seed, scratch=scratch)
    rule = called(algorithm, horizon, stride)
    return [{**row, "rule": rule, "step": row["step"] * window} for row in rows]


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare the last forecasts with the published ones."""
    final = ends(rows)
    for task, seen in final[final["task"].isin(TOLD)].groupby("task", sort=False):
        yield from _better(str(task), seen)
        if not whole(seen):
            continue
        compared, wrong = upset(str(task), seen)
        if compared:
            yield Check(
                f"{task}: the published order, of every pair that is told apart",
                not wrong,
                "; ".join(wrong) or f"{compared} pairs",
            )
        for rule, ratio in near(str(task), seen):
            yield Check(
                f"{task}: {rule} is within 30 % of the published NMSE",
                abs(ratio - 1) <= CLOSE,
                f"× {ratio:.3f}",
            )


def _better(task: str, seen: pd.DataFrame) -> Iterator[Check]:
    """Check that learning the recurrent weights is worth something."""
    mean = seen.groupby("rule")["train_loss"].mean()
    if {"blocked_rtrl", "reservoir"} <= set(mean.index):
        exact, still = mean["blocked_rtrl"], mean["reservoir"]
        claim = f"{task}: exact gradients forecast better than the reservoir"
        yield Check(claim, exact < still, f"{exact:.4f} against {still:.4f}")


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        TABLE,
        Figure(
            name="forecasting",
            title="Online forecasts: error along the stream",
            caption="Mean squared error of the forecasts since the point before, mean and range "
            "over seeds; the series have unit variance.",
            x="step",
            y="train_loss",
            hue="rule",
            column="task",
            log_y=True,
            labels={"step": "steps", "train_loss": "NMSE", "rule": "algorithm"},
        ),
    ),
    data=tuple(DATA.values()),
)
