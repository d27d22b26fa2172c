"""Which gates of logic are a single neuron, by hand and by learning?

The neuron with weights by hand is asked once; the perceptron learns from many random starts, going
through the gate's table in order, until an epoch has no mistake or its epochs are over.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import NonNegativeFloat, PositiveFloat, model_validator

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.measuring.evidence import identity
from pipeline.study import Claim, Count, Given, Part, Row, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

TABLES: dict[str, tuple[int, ...]] = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "not": (1, 0),
    "xor": (0, 1, 1, 0),
}
"""The gates' answers to 0 and 1, or to 00, 01, 10 and 11."""
IMPOSSIBLE = "xor"


class Gate(Trial):
    """One gate, by a network whose weights are set by hand or learned by a rule."""

    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)] | None = None
    """None leaves the weights as they are set by hand, and all of the following unsaid."""
    rate: PositiveFloat | None = None
    decay: NonNegativeFloat | None = None
    spread: PositiveFloat | None = None
    """Weights start from U(-spread, spread)."""
    epochs: Count | None = None
    """At most."""
    starts: Count | None = None
    gate: Annotated[str, named(TABLES)]

    @model_validator(mode="after")
    def _all_of_learning(self) -> "Gate":
        learning = self.rate, self.decay, self.spread, self.epochs, self.starts
        if any((value is None) != (self.rule is None) for value in learning):
            raise ValueError("rule, rate, decay, spread, epochs, starts: give all or none")
        return self

    def measure(self, given: Given) -> Rows:
        """Return how many starts settled, the fewest and most answers right, the most mistakes."""
        x_NI, t_N1 = table(self.gate)
        return self._by_hand(x_NI, t_N1) if self.rule is None else self._learned(x_NI, t_N1)

    def _by_hand(self, x_NI: "Tensor", t_N1: "Tensor") -> Row:
        right = int((NETWORKS[self.network].gate(self.gate)(x_NI) == t_N1).sum())
        answers = {"right": right, "most_right": right, "answers": len(x_NI)}
        return {"starts": 1, "settled": 1, **answers}

    def _learned(self, x_NI: "Tensor", t_N1: "Tensor") -> Row:
        import torch

        torch.manual_seed(self.seed)
        settled, rights, mistakes = 0, [], 0
        for _ in range(self.starts or 0):
            units = NETWORKS[self.network](x_NI.shape[1], spread=self.spread)
            teacher = RULES[str(self.rule)](self.rate, self.decay)
            epochs = range(self.epochs or 0)
            mistakes += sum(teacher.learn(units, x_NI, t_N1).mistakes for _ in epochs)
            settled += teacher.settled_at is not None
            rights.append(int((units(x_NI) == t_N1).sum()))
        return {
            "starts": self.starts,
            "settled": settled,
            "right": min(rights),
            "most_right": max(rights),
            "answers": len(x_NI),
            "mistakes": mistakes / len(rights),
        }


def table(gate: str) -> "tuple[Tensor, Tensor]":
    """Return the gate's inputs, (N, I), and answers, (N, 1)."""
    import torch

    t_N1 = torch.tensor(TABLES[gate], dtype=torch.get_default_dtype()).unsqueeze(1)
    bits = torch.arange(2, dtype=t_N1.dtype)
    x_NI = bits.unsqueeze(1) if len(t_N1) == 2 else torch.cartesian_prod(bits, bits)
    return x_NI, t_N1


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold both networks to what they can do."""
    by_hand, learned = rows[rows["rule"].isna()], rows[rows["rule"].notna()]
    each = ", ".join(f"{row.gate} {row.right:g} of {row.answers:g}" for row in by_hand.itertuples())
    claim = "weights by hand: all answers of every gate are right"
    right = bool((by_hand["right"] == by_hand["answers"]).all())
    yield identity(claim, right, each, expected=1)
    for gate, seen in learned.groupby("gate", sort=False):
        starts, settled = int(seen["starts"].sum()), int(seen["settled"].sum())
        if gate == IMPOSSIBLE:
            most = int(seen["most_right"].max())
            claim = f"{gate}: the perceptron never settles, and at most 3 of 4 answers are right"
            words = f"{settled} of {starts} settled, at most {most} right"
            yield identity(claim, settled == 0 and most < 4, words, expected=3)
        else:
            claim = f"{gate}: the perceptron learns it from every start"
            holds = settled == starts and bool((seen["right"] == seen["answers"]).all())
            yield identity(claim, holds, f"{settled} of {starts}", expected=2)


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each network fared with each gate."""
    if "mistakes" not in rows:
        rows = rows.assign(mistakes=None)
    by = rows.groupby(["network", "gate"], sort=False)
    sums = by[["starts", "settled"]].sum()
    least, mean = by[["right", "answers"]].min(), by["mistakes"].mean()
    words = {
        "fewest right": [f"{right:.0f} of {answers:.0f}" for right, answers in least.to_numpy()],
        "mistakes": mean.map(lambda value: "" if pd.isna(value) else f"{value:.1f}"),
    }
    return sums.assign(**words).reset_index()


PART = Part(
    __doc__,
    Gate,
    expects,
    figures=(
        Table(
            name="gates",
            title="Gates of logic",
            caption="Starts that settled, fewest right answers at the end of any, mean mistakes.",
            build=_table,
        ),
    ),
)
