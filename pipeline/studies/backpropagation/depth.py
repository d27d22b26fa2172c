"""Does it take longer to learn the deeper a linear network is?

All layers are linear, of one size, and learn, by gradient descent on all there is, a linear map
whose few singular values are 1; inputs are white, so that the identity stands for them. The rate is
the same number over depth for all. Learned is when the loss has fallen to a hundredth.

Orthogonal layers pass every error on at its length whatever the depth. Gaussian ones of the same
mean size keep it on average, but stretch some directions and lose most others, the more so the
deeper.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import PositiveFloat

from lightning_modules.networks import NETWORKS
from pipeline.measuring.evidence import above, below
from pipeline.studies.backpropagation.starts import Start
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

LEARNED, LOST, AS_FAST = 0.01, 1e6, 2.0
ORTHOGONAL, GAUSSIAN = "orthogonal", "gaussian"


class Depth(Trial):
    """One linear network, and what it is to learn."""

    network: Annotated[str, named(NETWORKS)]
    start: Start
    depth: Count
    """Hidden layers."""
    rate: PositiveFloat
    """Times the number of layers' matrices."""
    size: Count
    rank: Count
    """How many of the singular values are 1; the others are 0."""
    steps: Count
    """At most."""

    def measure(self, given: Given) -> Rows:
        """Return how many steps it took to learn; None where it did not."""
        import torch

        from lightning_modules.networks import _starts

        torch.manual_seed(self.seed)
        y_NO = target(self.size, [1.0] * self.rank)
        sizes = self.size, self.rank, [self.size] * self.depth
        layers: Any = NETWORKS[self.network](*sizes, "linear").double()
        _starts.start(layers, self.start)
        weights = [w for name, w in layers.named_parameters() if name.endswith("weight")]
        x_NI, first = torch.eye(self.size, dtype=torch.float64), None
        for step in range(self.steps + 1):
            loss = (layers(x_NI) - y_NO).square().sum() / 2
            now = float(loss.detach())
            first = now if first is None else first
            if now <= LEARNED * first:
                return {"steps_used": step, "learned": True}
            if not now < LOST * first:
                break
            descend(loss, weights, self.rate / (self.depth + 1))
        return {"steps_used": None, "learned": False}


def target(size: int, singular_values: list[float]) -> "Tensor":
    """Draw a map, inputs first, of such singular values, (I, O), O their number."""
    import torch

    left, right = (
        torch.nn.init.orthogonal_(torch.empty(size, rows, dtype=torch.float64))
        for size, rows in ((size, len(singular_values)), (len(singular_values),) * 2)
    )
    return left @ torch.tensor(singular_values, dtype=torch.float64).diag() @ right


def descend(loss: "Tensor", weights: "list[Tensor]", rate: float) -> None:
    """Take one step down the gradient."""
    import torch

    gradients = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for w, g in zip(weights, gradients, strict=True):
            w.sub_(g, alpha=rate)


def best(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean steps at the best of the rates at which all learn, by start and depth."""
    by = rows.groupby(["start", "depth", "rate"], sort=False)
    steps = by["steps_used"].mean().where(by["learned"].all()).rename("steps").reset_index()
    steps = steps.sort_values(["start", "depth", "steps"], na_position="last")
    return steps.groupby(["start", "depth"], sort=False).first(skipna=False).reset_index()


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare the greatest depth with the least."""
    least, most = rows["depth"].min(), rows["depth"].max()
    for start, ratio in slower(rows).items():
        of = f"{most:g} layers take"
        if start == ORTHOGONAL:
            claim = f"orthogonal: {of} at most twice the steps of {least:g}"
            yield below(claim, ratio, AS_FAST, expected=15)
        elif start == GAUSSIAN:
            claim = f"Gaussian: {of} more than twice the steps of {least:g}"
            yield above(claim, ratio, AS_FAST, expected=16)


def slower(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return how many times the steps of the least depth the greatest takes, by start and seed.

    Infinitely many where it does not learn. Each depth learns at the rate at which most seeds do,
    the quickest of these.
    """
    least, most = rows["depth"].min(), rows["depth"].max()
    return {
        str(start): _steps(seen[seen["depth"] == most]) / _steps(seen[seen["depth"] == least])
        for start, seen in rows.groupby("start", sort=False)
    }


def _steps(rows: pd.DataFrame) -> pd.Series:
    """Return the steps of a depth by seed at its best rate."""
    by_rate = rows.groupby("rate").agg({"learned": "sum", "steps_used": "mean"})
    best = by_rate.sort_values(["learned", "steps_used"], ascending=[False, True]).index[0]
    steps = rows[rows["rate"] == best].set_index("seed")["steps_used"]
    return steps.astype(float).fillna(math.inf)


def _in_words(steps: float) -> str:
    return "more than all" if pd.isna(steps) else f"{steps:.0f}"


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the steps at the best rate, by start and depth."""
    seen = best(rows)
    rate = seen["rate"].where(seen["steps"].notna())
    return seen.assign(steps=seen["steps"].map(_in_words), rate=rate)


PART = Part(
    __doc__,
    Depth,
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
