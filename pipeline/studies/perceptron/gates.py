"""Which gates of logic are a single neuron, by hand and by learning?

The neuron with weights by hand is asked once; the perceptron learns from many random starts, going
through the gate's table in order, until an epoch has no mistake or its epochs are over.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from lightning_modules.networks import NETWORKS
from lightning_modules.rules import RULES
from pipeline.study import Check, Row, Section, Study, Table, Trial, named

TABLES: dict[str, tuple[int, ...]] = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "not": (1, 0),
    "xor": (0, 1, 1, 0),
}
"""The gates' answers to 0 and 1, or to 00, 01, 10 and 11."""
IMPOSSIBLE = "xor"


class Params(Section):
    """The gates, and how they are learned."""

    by_hand: Annotated[str, named(NETWORKS)]
    network: Annotated[str, named(NETWORKS)]
    rule: Annotated[str, named(RULES)]
    gates: list[Annotated[str, named(TABLES)]]
    rate: PositiveFloat
    decay: NonNegativeFloat
    spread: PositiveFloat
    """Weights start from U(-spread, spread)."""
    epochs: PositiveInt
    """At most."""
    starts: PositiveInt
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every gate by hand where that can be, and learned under every seed."""
    learning = p.model_dump(include={"rate", "decay", "spread", "epochs", "starts"})
    for gate in p.gates:
        if gate != IMPOSSIBLE:
            nothing: Trial = dict.fromkeys(learning)
            yield {"network": p.by_hand, "rule": None, "gate": gate, **nothing, "seed": 0}
        for seed in range(p.seeds):
            yield {"network": p.network, "rule": p.rule, "gate": gate, **learning, "seed": seed}


def measure(
    network: str,
    rule: str | None,
    gate: str,
    rate: float | None,
    decay: float | None,
    spread: float | None,
    epochs: int | None,
    starts: int | None,
    seed: int,
) -> Row:
    """Return how many starts settled, the fewest and most answers right, the most mistakes."""
    x_NI, t_N1 = table(gate)
    if rule is None or epochs is None or starts is None:
        right = int((NETWORKS[network].gate(gate)(x_NI) == t_N1).sum())
        return {
            "starts": 1,
            "settled": 1,
            "right": right,
            "most_right": right,
            "answers": len(x_NI),
        }
    torch.manual_seed(seed)
    settled, rights, mistakes = 0, [], 0
    for _ in range(starts):
        units, teacher = NETWORKS[network](x_NI.shape[1], spread=spread), RULES[rule](rate, decay)
        mistakes += sum(teacher.learn(units, x_NI, t_N1).mistakes for _ in range(epochs))
        settled += teacher.settled_at is not None
        rights.append(int((units(x_NI) == t_N1).sum()))
    return {
        "starts": starts,
        "settled": settled,
        "right": min(rights),
        "most_right": max(rights),
        "answers": len(x_NI),
        "mistakes": mistakes / starts,
    }


def table(gate: str) -> tuple[Tensor, Tensor]:
    """Return the gate's inputs, (N, I), and answers, (N, 1)."""
    t_N1 = torch.tensor(TABLES[gate], dtype=torch.get_default_dtype()).unsqueeze(1)
    bits = torch.arange(2, dtype=t_N1.dtype)
    x_NI = bits.unsqueeze(1) if len(t_N1) == 2 else torch.cartesian_prod(bits, bits)
    return x_NI, t_N1


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold both networks to what they can do."""
    by_hand, learned = rows[rows["rule"].isna()], rows[rows["rule"].notna()]
    told = ", ".join(f"{row.gate} {row.right:g} of {row.answers:g}" for row in by_hand.itertuples())
    claim = "weights by hand: all answers of every gate are right"
    yield Check(claim, bool((by_hand["right"] == by_hand["answers"]).all()), told)
    for gate, seen in learned.groupby("gate", sort=False):
        starts, settled = int(seen["starts"].sum()), int(seen["settled"].sum())
        if gate == IMPOSSIBLE:
            most = int(seen["most_right"].max())
            claim = f"{gate}: the perceptron never settles, and at most 3 of 4 answers are right"
            words = f"{settled} of {starts} settled, at most {most} right"
            yield Check(claim, settled == 0 and most < 4, words)
        else:
            claim = f"{gate}: the perceptron learns it from every start"
            holds = settled == starts and bool((seen["right"] == seen["answers"]).all())
            yield Check(claim, holds, f"{settled} of {starts}")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each network fared with each gate."""
    if "mistakes" not in rows:
        rows = rows.assign(mistakes=None)
    by = rows.groupby(["network", "gate"], sort=False)
    sums = by[["starts", "settled"]].sum()
    least, mean = by[["right", "answers"]].min(), by["mistakes"].mean()
    told = {
        "fewest right": [f"{right:.0f} of {answers:.0f}" for right, answers in least.to_numpy()],
        "mistakes": mean.map(lambda value: "" if pd.isna(value) else f"{value:.1f}"),
    }
    return sums.assign(**told).reset_index()


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
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
