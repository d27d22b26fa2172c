"""Do the algorithms forecast as well, online, as a public project found them to?

A simple recurrent network forecasts the next value of a series of unit variance, in the set-up of
that project: 64 tanh units whose biases start at 0, 8 lanes, Adam at 1e-3, an update at every step
from its mean loss, the state reset every 200 steps, 15,000 steps. The figure is the mean squared
error of the forecasts made while learning, over the last sixth of the steps; since the variance is
1 it is the normalised error, NMSE. Its truncated BPTT takes windows of 25 steps, with an update
after each; the traces of its RFLO leak at a rate of their own (``rflo_fixed``); its Mackey-Glass
series looks back 16 steps, not the usual 17, and so does ours here.

A pair of algorithms is told apart in public where its published means lie further apart than their
two standard deviations together. Runs shorter than the published 15,000 steps are shown beside the
published figures without a verdict.

References:
    sonaradarcn/sketched-rtrl, a public repository: set-up and figures. Of sunspots it has another
        version of the series, shown for context.
    Hénon (1976), A two-dimensional mapping with a strange attractor, Comm. Math. Phys. 50.
    Mackey & Glass (1977), Oscillation and chaos in physiological control systems, Science 197.
    Lorenz (1963), Deterministic nonperiodic flow, J. Atmos. Sci. 20(2).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import model_validator

from pipeline.measuring import evidence
from pipeline.measuring.training import SequenceTraining
from pipeline.studies.online_algorithms.published import (
    CLOSE,
    COMPARED,
    HELD,
    TABLE,
    as_long_as_published,
    last_forecasts,
    ratio,
    standing_for_mean,
    standing_for_order,
    told_apart,
)
from pipeline.studies.online_algorithms.rules import called
from pipeline.study import Claim, Count, Figure, Given, Part, Rows

if TYPE_CHECKING:
    from lightning_modules.interfaces import Cell, Task


class Forecasting(SequenceTraining):
    """A series forecast online in ``batch_size`` lanes; a batch is a window of ``length`` steps."""

    steps: Count
    """Of the series, as is evaluate_every: a row gives the mean loss of so many steps."""
    reset_every: Count
    delay: Count | None = None
    """Of Mackey-Glass."""

    @model_validator(mode="after")
    def _divide(self) -> "Forecasting":
        if self.length is None:
            raise ValueError("give length: the steps of a window")
        for name, steps in (("steps", self.steps), ("evaluate_every", self.every)):
            if steps % self.length:
                raise ValueError(f"{name} is {steps}: must be a multiple of length, {self.length}")
        if self.steps % self.every:
            raise ValueError(
                f"steps is {self.steps}: must be a multiple of evaluate_every, {self.every}"
            )
        return self

    def cell_of(self, source: "Task") -> "Cell":
        """Return the cell, whose biases start at 0."""
        from torch import nn

        cell: Any = super().cell_of(source)
        nn.init.zeros_(cell.b)
        return cell

    def measure(self, given: Given) -> Rows:
        """Forecast online; a row for ``evaluate_every`` so many steps, with their mean loss."""
        import torch

        torch.manual_seed(self.seed)
        delayed = {} if self.delay is None else {"delay": self.delay}
        source = self.task_of(given, reset_every=self.reset_every, **delayed)
        learner, window = self.learner_of(source, self.cell_of(source)), len(source.batch(0).x_TBI)
        batches, every = self.steps // window, self.every // window
        rows = self.fit(learner, source, given, steps=batches, every=every)
        rule = called(self.algorithm, self.horizon, self.stride)
        return [{**row, "rule": rule, "step": row["step"] * window} for row in rows]


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare the last forecasts with a reservoir's, and with the published ones."""
    final = last_forecasts(rows)
    for task, seen in final[final["task"].isin(COMPARED)].groupby("task", sort=False):
        by_rule = seen.set_index("seed").groupby("rule")["train_loss"]
        loss = {str(rule): of for rule, of in by_rule}
        if {"blocked_rtrl", "reservoir"} <= loss.keys():
            claim = f"{task}: exact gradients forecast better than the reservoir"
            yield evidence.ordered(
                claim, loss["blocked_rtrl"], loss["reservoir"], expected=7
            ).if_missed(
                "A reservoir's features stand still, while those that are learned move under the "
                "readout; and a seed or two of exact gradients end far off."
            )
        if as_long_as_published(seen):
            yield from _as_published(str(task), loss)


def _as_published(task: str, loss: dict[str, pd.Series]) -> Iterator[Claim]:
    """Hold the order and two of the means to the published ones."""
    pairs = [pair for pair in told_apart(task) if loss.keys() >= {*pair}]
    if pairs:
        claim = f"{task}: the published order, of every pair that is told apart"
        order = (evidence.ordered(f"{a} below {b}", loss[a], loss[b], expected=8) for a, b in pairs)
        yield evidence.every(claim, order).stands_for(standing_for_order(task, len(pairs)))
    for rule in HELD:
        if rule in loss:
            ours, error = ratio(task, rule, loss[rule])
            claim = f"{task}: {rule} is within {CLOSE:.0%} of the published NMSE"
            bounds = 1 - CLOSE, 1 + CLOSE
            of = {"error": error, "unit": "times the published"}
            close = evidence.within(claim, ours, *bounds, **of, expected=8)
            yield close.stands_for(standing_for_mean(task, rule)).if_missed(
                "A seed or two that end far off decide a mean: ours, or the published one, whose "
                "deviation then is as large as itself."
            )


PART = Part(
    __doc__,
    Forecasting,
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
)
