"""Which networks learn to add two numbers that lie many steps apart?

Squared error of the sum, held out; who remembers nothing reaches 1/6. Every network has the same
number of units and sees the same batches; gradients are clipped by norm, so that none is lost to a
single step.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from lightning_modules.cells import CELLS
from lightning_modules.starts import STARTS
from pipeline.measuring.evidence import above, below, share, within
from pipeline.measuring.statistics import last_evaluations, with_interval
from pipeline.measuring.training import SequenceTraining
from pipeline.studies.vanishing_gradient.chance import CHANCE
from pipeline.study import Claim, Figure, Given, Part, Rows, Table, named

if TYPE_CHECKING:
    from lightning_modules.interfaces import Cell, Task

LEARNED, STUCK, LENGTH = 0.005, 0.1, 50
NEAR = 1 / 5
"""How near to chance is near, of chance."""
MEASURED_BEFORE = {"gru": 0.0004, "lstm": 0.0029, "irnn": 0.0011, "tanh": 0.158}
"""Squared errors at that length which this project had measured before this study was written, on
a set-up that is not recorded."""
RUN = "network", "length", "seed"
"""What tells runs apart."""


class Learning(SequenceTraining):
    """A network that learns to add."""

    network: str
    """What it is called."""
    activation: str | None = None
    """None is the cell's own."""
    start: Annotated[str, named(STARTS)] | None = None
    """Of the recurrent weights; None is as they are drawn."""

    def cell_of(self, source: "Task") -> "Cell":
        """Return the network with its weights where they start."""
        options = {} if self.activation is None else {"activation": self.activation}
        network = CELLS[self.cell](source.input_size, self.hidden_size, **options)
        if self.start is not None:
            STARTS[self.start]().apply(network)
        return network

    def measure(self, given: Given) -> Rows:
        """Train one network and return a row for each evaluation."""
        return self.learn(given).rows


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the ends at the length that the prediction speaks of to it."""
    ends = losses(rows)
    for network in ("gru", "lstm"):
        if network in ends:
            claim = f"adding, {LENGTH} steps: {network} below {LEARNED}"
            yield below(claim, ends[network], LEARNED, expected=2)
    if "tanh" in ends:
        claim = f"adding, {LENGTH} steps: tanh units above {STUCK}"
        yield above(claim, ends["tanh"], STUCK, expected=2)
        low, high = CHANCE * (1 - NEAR), CHANCE * (1 + NEAR)
        claim = f"adding, {LENGTH} steps: tanh units within a fifth of chance, 1/6"
        yield within(claim, ends["tanh"], low, high, expected=4)
    for network, before in MEASURED_BEFORE.items():
        if network in ends and before < LEARNED:
            claim = f"adding, {LENGTH} steps: {network} no higher than measured before, {before}"
            found = below(claim, ends[network], before, digits=4, expected=4)
            yield found.if_missed(TAIL) if network == "irnn" else found
    if "irnn" in ends:
        claim = f"adding, {LENGTH} steps: an IRNN comes below {LEARNED} from most starts"
        yield share(claim, ends["irnn"] < LEARNED, at_least=0.5, expected=5)


TAIL = "a few starts are slow, and have not settled when they are stopped: the mean is theirs"
"""Why an IRNN would end higher."""


def losses(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return each network's squared error at the end, at that length, by seed."""
    last = last_evaluations(rows, RUN)
    at = last[last["length"] == LENGTH].set_index("seed")
    return {str(network): seen["held_out_loss"] for network, seen in at.groupby("network")}


def learned(rows: pd.DataFrame) -> dict[int, dict[str, pd.Series]]:
    """Return which starts of each network learned, by length, the shortest first."""
    found: dict[int, dict[str, pd.Series]] = {}
    last = last_evaluations(rows, RUN).set_index("seed")
    for (length, network), seen in last.groupby(["length", "network"]):
        of = seen["held_out_loss"] < LEARNED
        found.setdefault(int(str(length).split(".")[0]), {})[str(network)] = of
    return found


def _final(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the final loss of each network at each length, and how many learned."""
    lines = {}
    for (network, length), seen in last_evaluations(rows, RUN).groupby(
        ["network", "length"], sort=False
    ):
        loss = seen["held_out_loss"]
        learned = f"{int((loss < LEARNED).sum())} of {len(loss)}"
        lines.setdefault(network, {})[f"{length} steps"] = f"{loss.mean():.4f} ({learned})"
    return pd.DataFrame([{"network": name, **by} for name, by in lines.items()]).fillna("")


def _beside(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each network ended at that length, beside chance and what was known before."""
    ends = losses(rows)
    lines = [
        {
            "network": network,
            "squared error": with_interval(loss, 4),
            "of chance": f"{loss.mean() / CHANCE:.1%}",
            "measured before": f"{MEASURED_BEFORE[network]:.4f}"
            if network in MEASURED_BEFORE
            else "",
        }
        for network, loss in sorted(ends.items(), key=lambda of: of[1].mean())
    ]
    return pd.DataFrame([*lines, {"network": "always 1", "squared error": f"{CHANCE:.4f}", **NONE}])


NONE = {"of chance": "100.0%", "measured before": ""}
"""What else is to be said of remembering nothing."""


PART = Part(
    __doc__,
    Learning,
    expects,
    speaks_of={"network": ("gru", "lstm", "irnn", "tanh")},
    figures=(
        Figure(
            name="adding",
            title="Adding two numbers, by their distance",
            caption="Held-out squared error, mean and range over seeds; 1/6 is who remembers "
            "nothing.",
            x="step",
            y="held_out_loss",
            hue="network",
            column="length",
            log_y=True,
            labels={"step": "batches", "held_out_loss": "squared error", "length": "steps"},
        ),
        Table(
            name="adding-final",
            title="Adding: squared error at the end",
            caption=f"Mean over seeds; in brackets how many came below {LEARNED}.",
            build=_final,
        ),
        Table(
            name="adding-reference",
            title=f"Adding, {LENGTH} steps: beside chance, and what was known before",
            caption="Mean over seeds and its 95 % interval. Chance is 1/6. What this project had "
            "measured before this study was written is of a set-up that is not recorded, and no "
            "published figure.",
            build=_beside,
        ),
    ),
)
