"""Does an algorithm still learn where near influences outweigh far ones of the other sign?

A chain of n linear units hands its state on towards unit 1, which alone is judged:

    s'_i = s_i / 2 + s_{i+1} / 2 + θ v_i        L = (s_1 - 1)² / 2 at every step

v is +1 on the ``plus`` units nearest to unit 1 and -1 on the ``minus`` others. At rest
s_1 = 2 θ (plus - minus), so that the loss is least at θ* = 1 / (2 (plus - minus)), which is -1/6
for 10 and 13. Whoever looks back too short a while sees the near units alone, and takes s_1 to
grow with θ, where in the end it falls. θ is learnt online from 0, by a step of gradient descent at
every step; it enters as the bias θ v of a linear simple recurrent network.

The rate is constant. An exact descent of the loss, whose curvature is 36, is stable below about
9e-4, as what θ does takes some 2n steps to arrive; a random gradient kicks θ in proportion to the
loss's own slope, so that its noise dies out at θ*, but at 1e-4 it throws θ off on the way there.
Where θ has left ±1 the run ends.

References:
    Tallec & Ollivier (2018), Unbiased online recurrent optimization, ICLR, arXiv:1702.05043:
        influence balancing, 23 units of which 13 are minus.
    Tallec & Ollivier (2017), Unbiasing truncated backpropagation through time, arXiv:1705.08209.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import PositiveFloat, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import above, within
from pipeline.measuring.statistics import last_rows
from pipeline.studies.online_algorithms.rules import build, called, claim
from pipeline.study import Claim, Count, Figure, Given, Part, Published, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Cell

SHORT = 40
"""Steps up to which every window has the wrong sign, of 23 units, 10 plus and 13 minus."""
FAR = 1.0
"""A θ beyond this has left for good: the run ends."""
RUN = "rule", "seed"
NEAR = {"exact": 0.01, "unbiased": 0.05}
"""How near to θ* an algorithm comes that claims so much of its gradient."""
PUBLISHED = {
    "uoro": Published(
        "balancing-uoro",
        "Tallec & Ollivier (2018), influence balancing",
        "converges to θ*",
        f"± {NEAR['unbiased']}",
    ),
    "tbptt(10)": Published(
        "balancing-tbptt-10",
        "Tallec & Ollivier (2017), influence balancing",
        "diverges",
        "the sign",
    ),
}
"""What was seen of rules that are tried here."""


class InfluenceBalancing(Trial):
    """The chain, and how its one parameter is learnt."""

    algorithm: Annotated[str, named(ALGORITHMS)]
    horizon: Count | None = None
    """Of truncated BPTT."""
    cell: Annotated[str, named(CELLS)]
    activation: str
    plus: Count
    minus: Count
    learning_rate: PositiveFloat
    steps: Count
    every: Count
    """Steps between two rows."""

    @model_validator(mode="after")
    def _unequal(self) -> "InfluenceBalancing":
        if self.plus == self.minus:
            raise ValueError(f"plus and minus are both {self.plus}: no θ brings s_1 to 1")
        return self

    def measure(self, given: Given) -> Rows:
        """Learn θ along a stream; the seed draws the state that it begins with, and the noise."""
        import torch

        torch.manual_seed(self.seed)
        network, v_H = chain(self.cell, self.activation, self.plus, self.minus)
        *_, b_H = network.parameters()
        rule, memory, theta = build(self.algorithm, self.horizon), None, 0.0
        x_TBI = torch.zeros(1, 1, 1, dtype=torch.float64)
        s_BS = torch.randn(1, self.plus + self.minus, dtype=torch.float64)
        kept = {
            "rule": called(self.algorithm, self.horizon),
            "claim": claim(self.algorithm),
            "best": best(self.plus, self.minus),
        }
        yield {**kept, "step": 0, "theta": theta}
        for step in range(1, self.steps + 1):
            b_H.copy_(theta * v_H)
            g_P, s_BS, memory, *_ = rule.run(network, x_TBI, s_BS, credit, memory)
            # b comes last among the parameters, and dL/dθ = v · dL/db.
            theta -= self.learning_rate * float(g_P[-len(v_H) :] @ v_H)
            left = abs(theta) > FAR
            if left or step % self.every == 0:
                yield {**kept, "step": step, "theta": theta}
            if left:
                return


def chain(cell: str, activation: str, plus: int, minus: int) -> "tuple[Cell, Tensor]":
    """Return the network and v, (H,)."""
    import torch

    size = plus + minus
    network = CELLS[cell](1, size, activation=activation).double().requires_grad_(False)
    network.U.zero_()
    network.W.copy_((torch.eye(size) + torch.diag(torch.ones(size - 1), 1)) / 2)
    v_H = torch.ones(size, dtype=torch.float64)
    v_H[plus:] = -1
    return network, v_H


def credit(t: int, s_BS: "Tensor") -> "Tensor":
    """Return dL/ds: s_1 - 1 on the first unit."""
    c_BS = s_BS.new_zeros(s_BS.shape)
    c_BS[:, 0] = s_BS[:, 0] - 1
    return c_BS


def best(plus: int, minus: int) -> float:
    """Return θ*, at which s_1 rests at 1."""
    return 1 / (2 * (plus - minus))


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare where θ ended with where it should."""
    last = last_rows(rows, RUN).set_index("seed")
    for kind, near in NEAR.items():
        for rule, end in last[last["claim"] == kind].groupby("rule"):
            of = "" if kind == "exact" else " on average over seeds"
            claim, goal = f"{rule}: θ reaches θ* ± {near}{of}", end["best"].iloc[0]
            yield _published(
                str(rule),
                within(claim, end["theta"], goal - near, goal + near, digits=4, expected=5),
            )
    near = last["horizon"] <= SHORT if "horizon" in last else False
    short = last[last["rule"].isin(["snap1", "rflo"]) | near]
    for rule, end in short.groupby("rule", sort=False):
        claim, away = f"{rule}: θ moves the wrong way", -end["theta"] * end["best"].map(sign)
        yield _published(str(rule), above(claim, away, 0, expected=5))


def sign(value: float) -> int:
    """Return 1 of what is above 0, and -1 of what is below."""
    return (value > 0) - (value < 0)


def _published(rule: str, claim: Claim) -> Claim:
    """Return the claim as what reproduces a published one, where there is one of the rule."""
    return claim.stands_for(PUBLISHED[rule]) if rule in PUBLISHED else claim


def _by_rule(rows: pd.DataFrame) -> pd.DataFrame:
    """Return where each rule's θ ended."""
    by_rule = last_rows(rows, RUN).groupby("rule", sort=False)
    ends = by_rule["theta"].agg(least="min", mean="mean", most="max")
    ends = ends.assign(best=by_rule["best"].first(), steps=by_rule["step"].max().astype(int))
    return ends.round(4).reset_index()


PART = Part(
    __doc__,
    InfluenceBalancing,
    expects,
    figures=(
        Figure(
            name="influence-balancing",
            title="Influence balancing: the one parameter along its learning",
            caption="Mean and range of θ over seeds. Dashed: θ*, where the loss is least. A run "
            "ends where θ leaves ±1.",
            x="step",
            y="theta",
            hue="rule",
            theory="best",
            labels={"theta": "θ", "step": "steps", "rule": "algorithm"},
        ),
        Table(
            name="influence-balancing-ends",
            title="Influence balancing: where θ ended",
            caption="Over seeds; best: θ*, where the loss is least.",
            build=_by_rule,
        ),
    ),
)
