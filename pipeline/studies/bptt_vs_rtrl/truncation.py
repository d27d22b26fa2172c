"""How far back must truncated BPTT look before its gradient points the right way?"""

import itertools
from collections.abc import Iterator
from typing import Annotated

import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measures import compare
from pipeline.study import Check, Figure, Rows, Section, Study, Trial, named

PUBLISHED = {
    (0.7, 1): 0.845, (0.7, 5): 0.997, (0.7, 20): 1.0,
    (1.2, 1): 0.559, (1.2, 5): 0.870, (1.2, 20): 0.995,
}  # fmt: skip
"""Cosines by (gain, horizon), measured before this study was written, on a set-up whose input
gain is not recorded; hence the tolerance."""
TOLERANCE = 0.08


class Params(Section):
    """Random networks: recurrent weights N(0, gain²/n), inputs N(0, input_gain²)."""

    cell: Annotated[str, named(CELLS)]
    gains: list[PositiveFloat]
    input_gain: PositiveFloat
    horizons: list[PositiveInt]
    length: PositiveInt
    batch_size: PositiveInt
    input_size: PositiveInt
    hidden_size: PositiveInt
    seeds: PositiveInt

    @model_validator(mode="after")
    def _within(self) -> "Params":
        if max(self.horizons) > self.length:
            raise ValueError(f"horizons reach {max(self.horizons)}, beyond length {self.length}")
        return self


def trials(p: Params) -> Iterator[Trial]:
    """Every gain and horizon under every seed."""
    for gain, horizon, seed in itertools.product(p.gains, p.horizons, range(p.seeds)):
        yield {
            "cell": p.cell,
            "gain": gain,
            "input_gain": p.input_gain,
            "algorithm": "tbptt",
            "reference": "bptt",
            "horizon": horizon,
            "length": p.length,
            "batch_size": p.batch_size,
            "input_size": p.input_size,
            "hidden_size": p.hidden_size,
            "seed": seed,
        }


def measure(
    cell: str,
    gain: float,
    input_gain: float,
    algorithm: str,
    reference: str,
    horizon: int,
    length: int,
    batch_size: int,
    input_size: int,
    hidden_size: int,
    seed: int,
) -> Rows:
    """Compare the truncated gradient with the full one on one random network and loss."""
    torch.manual_seed(seed)
    network = CELLS[cell](input_size, hidden_size)
    torch.nn.init.normal_(network.W, std=gain / hidden_size**0.5)
    torch.nn.init.normal_(network.U, std=input_gain / input_size**0.5)
    torch.nn.init.zeros_(network.b)
    network.double()
    x_TBI = torch.randn(length, batch_size, input_size, dtype=torch.float64)
    s_BS = torch.zeros(batch_size, network.state_size, dtype=torch.float64)
    c_TBS = torch.randn(length, *s_BS.shape, dtype=torch.float64)
    problem = (network, x_TBI, s_BS, lambda t, s_BS: c_TBS[t])
    truncated = ALGORITHMS[algorithm](horizon=horizon)
    return compare(truncated.gradient(*problem), ALGORITHMS[reference]().gradient(*problem))


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
    for (gain, horizon), value in PUBLISHED.items():
        if gain in cosine and horizon in cosine.index:
            seen = float(cosine[gain][horizon])
            yield Check(
                f"gain {gain}, horizon {horizon}: cosine {value} ± {TOLERANCE}",
                abs(seen - value) <= TOLERANCE,
                f"{seen:.3f}",
            )


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
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
