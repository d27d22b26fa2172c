"""How far back must truncated BPTT look before its gradient points the right way?"""

import math
from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import PositiveFloat, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import every, exact, monotone, within
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Trial, named

MEASURED_BEFORE = {
    (0.7, 1): (0.845 - 0.08, 0.845 + 0.08),
    (0.7, 5): (0.98, math.inf),
    (0.7, 20): (0.98, math.inf),
    (1.2, 1): (0.559 - 0.08, 0.559 + 0.08),
    (1.2, 5): (0.870 - 0.08, 0.870 + 0.08),
    (1.2, 20): (0.98, math.inf),
}
"""Bounds of the cosine by (gain, horizon): what this project had measured before this study was
written (.845, .997, 1.0 and .559, .870, .995), on a set-up whose input gain is not recorded, hence
± .08; where that would reach beyond 1 a bound of .98 took its place, which can fail."""
SLACK, ROUNDING = 1e-3, 1e-12
"""By how much a cosine may fall that is said never to, and the error of what is exact."""


class Truncation(Trial):
    """A random network: recurrent weights N(0, gain²/n), inputs N(0, input_gain²)."""

    cell: Annotated[str, named(CELLS)]
    gain: PositiveFloat
    input_gain: PositiveFloat
    algorithm: Annotated[str, named(ALGORITHMS)]
    reference: Annotated[str, named(ALGORITHMS)]
    horizon: Count
    length: Count
    batch_size: Count
    input_size: Count
    hidden_size: Count

    @model_validator(mode="after")
    def _within(self) -> "Truncation":
        if self.horizon > self.length:
            raise ValueError(f"horizon is {self.horizon}, beyond length {self.length}")
        return self

    def measure(self, given: Given) -> Rows:
        """Compare the truncated gradient with the full one on one random network and loss."""
        import torch

        from pipeline.measuring.gradients import compare

        torch.manual_seed(self.seed)
        network = CELLS[self.cell](self.input_size, self.hidden_size)
        torch.nn.init.normal_(network.W, std=self.gain / self.hidden_size**0.5)
        torch.nn.init.normal_(network.U, std=self.input_gain / self.input_size**0.5)
        torch.nn.init.zeros_(network.b)
        network.double()
        sizes = self.length, self.batch_size
        x_TBI = torch.randn(*sizes, self.input_size, dtype=torch.float64)
        s_BS = torch.zeros(self.batch_size, network.state_size, dtype=torch.float64)
        c_TBS = torch.randn(*sizes, network.state_size, dtype=torch.float64)
        problem = (network, x_TBI, s_BS, lambda t, s_BS: c_TBS[t])
        truncated = ALGORITHMS[self.algorithm](horizon=self.horizon).gradient(*problem)
        return compare(truncated, ALGORITHMS[self.reference]().gradient(*problem))


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the cosine to the order of horizons and gains, and to what was measured before."""
    cosine = cosines(rows)
    yield every(
        "the cosine never falls as the horizon grows",
        (
            monotone(
                f"gain {gain}", of.unstack("horizon").rename(columns=int), slack=SLACK, expected=4
            )
            for gain, of in cosine.groupby("gain")
        ),
    )
    by_gain = cosine.groupby(["seed", "gain"]).mean().unstack("gain")
    if by_gain.shape[1] > 1:
        claim = "the cosine, averaged over horizons, falls as the gain grows"
        yield monotone(claim, by_gain, falls=True, expected=4)
    whole = rows[rows["horizon"] == rows["length"]]["relative_error"].max()
    yield exact("a horizon as long as the sequence is exact", whole, ROUNDING, expected=5)
    for (gain, horizon), (low, high) in MEASURED_BEFORE.items():
        if (gain, horizon) in {*zip(rows["gain"], rows["horizon"], strict=True)}:
            seen = cosine.xs((gain, horizon), level=("gain", "horizon"))
            bounds = f"at least {low}" if high == math.inf else f"{low:.3f} to {high:.3f}"
            claim = f"gain {gain}, horizon {horizon}: cosine {bounds}"
            yield within(claim, seen, low, high, expected=6)


def cosines(rows: pd.DataFrame) -> pd.Series:
    """Return the cosine to the exact gradient by seed, gain and horizon."""
    return rows.set_index(["seed", "gain", "horizon"])["cosine"]


PART = Part(
    __doc__,
    Truncation,
    expects,
    figures=(
        Figure(
            name="truncation",
            title="Direction of the truncated gradient",
            caption="Cosine between TBPTT's gradient and the exact one on random networks, mean "
            "and spread over seeds.",
            x="horizon",
            y="cosine",
            hue="gain",
            log_x=True,
            labels={"horizon": "horizon (steps)", "cosine": "cosine to the exact gradient"},
        ),
    ),
)
