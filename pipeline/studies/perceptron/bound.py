"""Is the number of mistakes never above (R/γ)², and what do a decaying rate or a start change?

Each problem is a separator drawn at random and examples drawn around it, pushed away from it until
all keep a margin. R is the longest example and γ the margin, both with the bias as a weight of an
input that is always 1. Besides the separator's own margin there is the greatest that any has, which
makes the tightest bound. Every problem is learned three times, until an epoch has no mistake: from
zero at a constant rate, which is what the bound is of; from zero at a rate that decays from epoch
to epoch; and from a random start.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import PositiveFloat

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.measuring.evidence import identity, ordered
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

CONSTANT, DECAYING, RANDOM = "constant", "decaying", "random start"
PUBLISHED = Published(
    "novikoff", "Novikoff (1962), the theorem", "at most (R/γ)² mistakes", "none: a theorem"
)
EPOCHS = 10_000
"""What no problem here comes near; one that does is counted as unsettled."""


class Bound(Trial):
    """Problems of one dimension, size and margin."""

    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)]
    dimension: Count
    size: Count
    margin: PositiveFloat
    """Of the known separator at least, in units of an example's typical length without the bias."""
    problems: Count
    decay: PositiveFloat
    spread: PositiveFloat
    """Of the random start."""

    def measure(self, given: Given) -> Rows:
        """Return a row for each way of learning, with what was the most of any problem."""
        import torch

        torch.manual_seed(self.seed)
        ways = {CONSTANT: (0.0, 0.0), DECAYING: (self.decay, 0.0), RANDOM: (0.0, self.spread)}
        found: dict[str, list[tuple[float, ...]]] = {way: [] for way in ways}
        for _ in range(self.problems):
            x_NI, t_N1, known = problem(self.dimension, self.size, self.margin)
            bounds = [_bound(x_NI, t_N1, known), _bound(x_NI, t_N1, widest(x_NI, t_N1))]
            for way, (decay, start) in ways.items():
                units = NETWORKS[self.network](self.dimension, spread=start).double()
                mistakes, settled = _learn(units, RULES[self.rule](decay=decay), x_NI, t_N1)
                found[way].append((mistakes, settled, *bounds))
        for way, of_problems in found.items():
            mistakes_N, settled_N, known_N, widest_N = np.array(of_problems).T
            yield {
                "way": way,
                "mistakes": float(mistakes_N.mean()),
                "bound": float(widest_N.mean()),
                "settled": int(settled_N.sum()),
                "most_of_known": float((mistakes_N / known_N).max()),
                "most_of_widest": float((mistakes_N / widest_N).max()),
                "mean_of_widest": float((mistakes_N / widest_N).mean()),
            }


def problem(dimension: int, size: int, margin: float) -> "tuple[Tensor, Tensor, Tensor]":
    """Draw examples, (N, I), their sides, (N, 1), and a separator, (I + 1,), the bias last."""
    import torch

    u_I = torch.randn(dimension + 1, dtype=torch.float64)
    u_I /= u_I.norm()
    x_NI = torch.randn(size, dimension, dtype=torch.float64) / dimension**0.5
    t_N = (x_NI @ u_I[:-1] + u_I[-1] > 0).double()
    away_I = u_I[:-1] / u_I[:-1].square().sum()
    return x_NI + margin * (2 * t_N - 1).outer(away_I), t_N.unsqueeze(1), u_I


def widest(x_NI: "Tensor", t_N1: "Tensor") -> "Tensor":
    """Return the separator of the greatest margin, (I + 1,): the shortest w with all ± w x >= 1.

    A problem of least distance, solved by non-negative least squares (Lawson & Hanson 1974,
    Solving least squares problems, chapter 23).
    """
    import torch
    from scipy.optimize import nnls

    a_NI = _towards(x_NI, t_N1)
    e_RN = np.vstack([a_NI.T.numpy(), np.ones(len(a_NI))])
    f_R = np.append(np.zeros(a_NI.shape[1]), 1.0)
    u_N, _ = nnls(e_RN, f_R, maxiter=100 * len(a_NI))
    r_R = e_RN @ u_N - f_R
    return torch.from_numpy(-r_R[:-1] / r_R[-1])


def _towards(x_NI: "Tensor", t_N1: "Tensor") -> "Tensor":
    """Return the examples with their bias, each times its side."""
    import torch

    return torch.cat([x_NI, torch.ones_like(t_N1)], dim=1) * (2 * t_N1 - 1)


def _bound(x_NI: "Tensor", t_N1: "Tensor", w_I: "Tensor") -> float:
    """Return (R/γ)² of a separator, by its margin as it is."""
    a_NI = _towards(x_NI, t_N1)
    margin = float((a_NI @ w_I).min() / w_I.norm())
    if margin <= 0:
        raise ValueError(f"the separator's margin is {margin}: it separates nothing")
    return float(a_NI.square().sum(dim=1).max()) / margin**2


def _learn(units: Any, teacher: Any, x_NI: "Tensor", t_N1: "Tensor") -> tuple[int, bool]:
    """Return how many mistakes it took, and whether that was all."""
    mistakes = 0
    while teacher.settled_at is None and teacher.epochs < EPOCHS:
        mistakes += teacher.learn(units, x_NI, t_N1).mistakes
    return mistakes, teacher.settled_at is not None


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the bound, and compare the rates."""
    constant, decaying = (rows[rows["way"] == way] for way in (CONSTANT, DECAYING))
    count = int(constant["problems"].sum())
    for column, words in (("known", "a known separator's"), ("widest", "the greatest")):
        most = constant[f"most_of_{column}"].max()
        claim = f"from zero at a constant rate, never more than (R/γ)² mistakes, γ {words} margin"
        seen = f"at most {most:.3f} of it, {count} problems"
        bounded = identity(claim, bool(most <= 1), seen, expected=4)
        yield bounded.stands_for(PUBLISHED) if column == "widest" else bounded
    left = count - int(constant["settled"].sum())
    claim = "from zero at a constant rate, every separable problem settles"
    yield identity(claim, left == 0, f"{left} of {count} did not", expected=4)
    slow, even = (of.groupby("seed")["mistakes"].mean() for of in (decaying, constant))
    claim = "a rate that decays takes no fewer mistakes, on average"
    yield ordered(claim, even, slow, expected=5).if_missed(
        "What a lower rate saves grows as the margin shrinks, where the last mistakes, which turn "
        "the weights but a little, are the many."
    )


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mistakes and their share of the bound by way and margin."""
    by = rows.groupby(["way", "margin"], sort=False)
    table = by[["mistakes", "bound", "mean_of_widest"]].mean()
    table = table.assign(most=by["most_of_widest"].max()).round(3).reset_index()
    names = {"bound": "(R/γ)²", "mean_of_widest": "mean share", "most": "greatest share"}
    return table.rename(columns=names)


PART = Part(
    __doc__,
    Bound,
    expects,
    figures=(
        Figure(
            name="mistakes",
            title="Mistakes against Novikoff's bound",
            caption="Each point is the mean over the problems of a trial, the bound that of the "
            "greatest margin; on the dashed line the two are one.",
            x="bound",
            y="mistakes",
            hue="way",
            kind="scatter",
            theory="bound",
            log_x=True,
            log_y=True,
            labels={"bound": "(R/γ)²"},
        ),
        Table(
            name="shares",
            title="Mistakes and their share of the bound",
            caption="Means over problems, and the greatest share of any of them.",
            build=_table,
        ),
    ),
)
