"""How far back must truncated BPTT look before its gradient points the right way?"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd
from pydantic import PositiveFloat, PositiveInt, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.study import Check, Figure, Given, Part, Rows, Trial, named

MEASURED_BEFORE = {
    (0.7, 1): 0.845, (0.7, 5): 0.997, (0.7, 20): 1.0,
    (1.2, 1): 0.559, (1.2, 5): 0.870, (1.2, 20): 0.995,
}  # fmt: skip
"""Cosines by (gain, horizon), measured before this study was written, on a set-up whose input
gain is not recorded; hence the tolerance."""
TOLERANCE = 0.08


class Truncation(Trial):
    """A random network: recurrent weights N(0, gain²/n), inputs N(0, input_gain²)."""

    cell: Annotated[str, named(CELLS)]
    gain: PositiveFloat
    input_gain: PositiveFloat
    algorithm: Annotated[str, named(ALGORITHMS)]
    reference: Annotated[str, named(ALGORITHMS)]
    horizon: PositiveInt
    length: PositiveInt
    batch_size: PositiveInt
    input_size: PositiveInt
    hidden_size: PositiveInt

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


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the cosine to the order of horizons and gains, and to what was measured before."""
    cosine = rows.groupby(["gain", "horizon"])["cosine"].mean().unstack("gain")
    least = cosine.diff().min().min()
    yield Check("the cosine never falls as the horizon grows", least > -1e-3, f"least {least:+.1e}")
    whole = rows[rows["horizon"] == rows["length"]]["relative_error"].max()
    yield Check(
        "a horizon as long as the sequence is exact",
        bool(whole < 1e-12),
        f"relative error {whole:.1e}",
    )
    for (gain, horizon), value in MEASURED_BEFORE.items():
        if gain in cosine and horizon in cosine.index:
            seen = float(cosine[gain][horizon])
            yield Check(
                f"gain {gain}, horizon {horizon}: cosine {value} ± {TOLERANCE}",
                abs(seen - value) <= TOLERANCE,
                f"{seen:.3f}",
            )


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
