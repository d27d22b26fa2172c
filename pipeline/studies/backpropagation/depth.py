"""Does it take longer to learn the deeper a linear network is?

All layers are linear, of one size, and learn, by gradient descent on all there is, a linear map
whose few singular values are 1; inputs are white, so that the identity stands for them. The rate is
the same number over depth for all. Learned is when the loss has fallen to a hundredth.

Orthogonal layers pass every error on at its length whatever the depth. Gaussian ones of the same
mean size keep it on average, but stretch some directions and lose most others, the more so the
deeper.
"""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt

from lightning_modules.networks import NETWORKS, _starts
from pipeline.study import Check, Figure, Row, Section, Study, Table, Trial, named

LEARNED, LOST, AS_FAST = 0.01, 1e6, 2.0
ORTHOGONAL, GAUSSIAN = "orthogonal", "gaussian"


class Params(Section):
    """Every depth from every start at every rate."""

    network: Annotated[str, named(NETWORKS)]
    starts: list[Annotated[str, named(_starts.STARTS)]]
    depths: list[PositiveInt]
    """Hidden layers."""
    rates: list[PositiveFloat]
    """Times the number of layers' matrices; the best one counts."""
    size: PositiveInt
    rank: PositiveInt
    """How many of the singular values are 1; the others are 0."""
    steps: PositiveInt
    """At most."""
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every network under every seed, at each rate."""
    shared = p.model_dump(include={"network", "size", "rank", "steps"})
    grid = itertools.product(p.starts, p.depths, p.rates, range(p.seeds))
    for start, depth, rate, seed in grid:
        yield {**shared, "start": start, "depth": depth, "rate": rate, "seed": seed}


def measure(
    network: str, size: int, rank: int, steps: int, start: str, depth: int, rate: float, seed: int
) -> Row:
    """Return how many steps it took to learn; None where it did not."""
    torch.manual_seed(seed)
    y_NO = target(size, [1.0] * rank)
    layers: Any = NETWORKS[network](size, rank, [size] * depth, "linear").double()
    _starts.start(layers, start)
    weights = [w for name, w in layers.named_parameters() if name.endswith("weight")]
    x_NI, first = torch.eye(size, dtype=torch.float64), None
    for step in range(steps + 1):
        loss = (layers(x_NI) - y_NO).square().sum() / 2
        now = float(loss.detach())
        first = now if first is None else first
        if now <= LEARNED * first:
            return {"steps_used": step, "learned": True}
        if not now < LOST * first:
            break
        descend(loss, weights, rate / (depth + 1))
    return {"steps_used": None, "learned": False}


def target(size: int, singular_values: list[float]) -> torch.Tensor:
    """Draw a map, inputs first, of such singular values, (I, O), O their number."""
    left, right = (
        torch.nn.init.orthogonal_(torch.empty(size, rows, dtype=torch.float64))
        for size, rows in ((size, len(singular_values)), (len(singular_values),) * 2)
    )
    return left @ torch.tensor(singular_values, dtype=torch.float64).diag() @ right


def descend(loss: torch.Tensor, weights: list[torch.Tensor], rate: float) -> None:
    """Take one step down the gradient."""
    gradients = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for w, g in zip(weights, gradients, strict=True):
            w.sub_(g, alpha=rate)


def best(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean steps at the best of the rates at which all learn, by start and depth."""
    by = rows.groupby(["start", "depth", "rate"], sort=False)
    told = by["steps_used"].mean().where(by["learned"].all()).rename("steps").reset_index()
    told = told.sort_values(["start", "depth", "steps"], na_position="last")
    return told.groupby(["start", "depth"], sort=False).first(skipna=False).reset_index()


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare the greatest depth with the least."""
    for start, seen in best(rows).groupby("start", sort=False):
        few, many = seen["steps"].iloc[0], seen["steps"].iloc[-1]
        least, most = seen["depth"].iloc[0], seen["depth"].iloc[-1]
        words = f"{_told(many)} steps against {_told(few)}"
        if start == ORTHOGONAL:
            claim = f"orthogonal: {most:g} layers take at most twice the steps of {least:g}"
            yield Check(claim, bool(many <= AS_FAST * few), words)
        elif start == GAUSSIAN:
            claim = f"Gaussian: {most:g} layers take more than twice the steps of {least:g}"
            yield Check(claim, bool(pd.isna(many) or many > AS_FAST * few), words)


def _told(steps: float) -> str:
    return "more than all" if pd.isna(steps) else f"{steps:.0f}"


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the steps at the best rate, by start and depth."""
    told = best(rows)
    return told.assign(
        steps=told["steps"].map(_told), rate=told["rate"].where(told["steps"].notna())
    )


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Figure(
            name="depth",
            title="Steps to learn by depth",
            caption="Until the loss has fallen to a hundredth; mean and range over seeds, for each "
            "rate times depth. Networks that did not learn are not there.",
            x="depth",
            y="steps_used",
            hue="start",
            column="rate",
            log_x=True,
            log_y=True,
            labels={"depth": "hidden layers", "steps_used": "steps"},
        ),
        Table(
            name="depth-best",
            title="Steps to learn, at the best rate",
            caption="Mean over seeds, at the best of the rates at which all of them learn.",
            build=_table,
        ),
    ),
)
