"""How often and how soon is XOR solved, by start range, rate, hidden size and stopping rule?

Classical back-propagation goes through the four examples in order, an epoch after the other, until
all answers of an epoch were right (``right``), until an epoch moved the weights by next to nothing
(``still``), or until its epochs are over. Solved is what answers all four right in the end.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import PositiveFloat, model_validator

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.measuring.evidence import ordered, rarer, share
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial, named

CLASSICAL, SMALL, ENOUGH, OFTEN = (0.5, 1.0), 0.1, 4, 0.9
"""The classical start ranges, a small one, how many hidden units are enough, and what is often."""


class Xor(Trial):
    """Some starts of one setting."""

    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)]
    stop: Literal["right", "still"]
    still: PositiveFloat | None = None
    """The norm of an epoch's move below which weights are still."""
    hidden_size: Count
    spread: PositiveFloat
    """Weights and biases start from U(-spread, spread)."""
    rate: PositiveFloat
    epochs: Count
    """At most."""
    starts: Count

    @model_validator(mode="after")
    def _stops_at_one(self) -> "Xor":
        if (self.stop == "still") != (self.still is not None):
            raise ValueError("still goes with stop: still, and with no other")
        return self

    def measure(self, given: Given) -> Rows:
        """Return a row for each start."""
        import torch

        from lightning_modules.networks import _starts

        torch.manual_seed(self.seed)
        x_NI = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        t_N1 = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
        enough = 1.0 if self.stop == "right" else None
        for number in range(self.starts):
            units: Any = NETWORKS[self.network](2, 1, [self.hidden_size], "logistic", "logistic")
            _starts.start(units, "uniform", self.spread)
            of = {"enough": enough, "still": self.still, "epoch": len(x_NI)}
            teacher = RULES[self.rule](self.rate, **of)
            teacher.learn(units, x_NI.repeat(self.epochs, 1), t_N1.repeat(self.epochs, 1))
            with torch.no_grad():
                seen = teacher.judge(teacher.outputs(units, x_NI), t_N1)
            yield {
                "number": number,
                "settled": teacher.settled_at is not None,
                "epochs_used": teacher.epochs,
                "solved": seen.right == len(x_NI),
                "loss": seen.loss,
            }


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold ranges, sizes and stopping rules to what is said of them."""
    right = rows[rows["stop"] == "right"]
    for spread in CLASSICAL:
        solved = at_best_rate(right, spread)
        if len(solved):
            claim = f"U(±{spread:g}), {ENOUGH} hidden units and more: solved from 9 of 10 starts"
            yield share(claim, solved, at_least=OFTEN, expected=1)
    by_size = _epochs(right, "hidden_size")
    if by_size.shape[1] > 1:
        few, many = by_size.columns[0], by_size.columns[-1]
        claim = f"{many:g} hidden units need fewer epochs than {few:g}"
        yield ordered(claim, by_size[many], by_size[few], expected=2)
    by_spread = _epochs(right, "spread")
    if {SMALL, CLASSICAL[1]} <= set(by_spread):
        claim = f"U(±{SMALL:g}) needs more epochs than U(±1)"
        yield ordered(claim, by_spread[CLASSICAL[1]], by_spread[SMALL], expected=3)
    ended = {str(stop): of["solved"] for stop, of in rows[rows["settled"]].groupby("stop")}
    if rows["stop"].nunique() > 1 and len(ended) > 1:
        claim = "still weights end runs that have not solved it; right answers end fewer such"
        yield rarer(claim, ended["still"], ended["right"], expected=4)


def at_best_rate(right: pd.DataFrame, spread: float) -> pd.Series:
    """Return which starts from a range with enough hidden units solved it, at the best rate."""
    seen = right[(right["spread"] == spread) & (right["hidden_size"] >= ENOUGH)]
    if seen.empty:
        return seen["solved"]
    best = seen.groupby("rate")["solved"].mean().idxmax()
    return seen.loc[seen["rate"] == best, "solved"]


def _epochs(right: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the mean epochs used, by seed, over all other settings."""
    return right.pivot_table(index="seed", columns=by, values="epochs_used")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return by setting how many starts solved it and after how many epochs."""
    lines = []
    for (stop, size, spread), seen in rows.groupby(["stop", "hidden_size", "spread"], sort=False):
        line: dict[str, Any] = {"stop": stop, "hidden": size, "range": f"±{spread:g}"}
        for rate, of in seen.groupby("rate"):
            solved = of[of["solved"]]["epochs_used"]
            epochs = f", {solved.median():.0f}" if len(solved) else ""
            line[f"rate {rate:g}"] = f"{len(solved)} of {len(of)}{epochs}"
        lines.append(line)
    return pd.DataFrame(lines).fillna("")


PART = Part(
    __doc__,
    Xor,
    expects,
    figures=(
        Figure(
            name="xor",
            title="XOR: epochs until all answers are right",
            caption="Mean and range over starts; who never settles counts with all epochs.",
            where={"stop": "right"},
            x="spread",
            y="epochs_used",
            hue="hidden_size",
            column="rate",
            log_x=True,
            labels={"spread": "start range", "epochs_used": "epochs"},
        ),
        Table(
            name="xor-solved",
            title="XOR: starts that solved it",
            caption="And the median of their epochs, by stopping rule, hidden units and range.",
            build=_table,
        ),
    ),
)
