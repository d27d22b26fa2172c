"""Over how many steps does error fall by e before any training, by the forget gate's bias?

A network as it starts reads noise, x ~ N(0, 1). Error of random direction comes in at the last
step's h; its norm ‖∂L/∂h_t‖ is followed back. After some steps it falls by the same factor a step:
the rate is the slope of its logarithm, mean over samples, by least squares over the lags from a
tenth to four fifths of the sequence, which leaves out where error comes in and where the states
still settle. The horizon is 1 / rate: 1 / the mean rate where there are several seeds.

A unit that nothing but its forget gate acts upon would have -1 / ln sigmoid(bias): 0.8, 1.4, 3.2
and 7.9 steps for a bias of -1, 0, 1 and 2. Units hear of each other, too, through h and the gates,
so the network's is longer, and the longer the larger the network is: near a bias of 2 error is
about to grow, where a small change of the rate is a large one of the horizon.

References:
    Gers, Schmidhuber & Cummins (2000), Learning to forget, Neural Computation 12(10).
    Jozefowicz, Zaremba & Sutskever (2015), An empirical exploration of recurrent network
        architectures, ICML: a bias of 1, without which the gradient vanishes.
    Tallec & Ollivier (2018), Can recurrent neural networks warp time?, ICLR, arXiv:1804.11188.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import Field

from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import monotone, within
from pipeline.measuring.statistics import half_width, line, with_interval
from pipeline.studies.lstm_gates.starts import Started
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Cell

PREDICTED = {-1.0: 1.1, 0.0: 2.0, 1.0: 6.4, 2.0: 48.0}
"""Steps over which error falls by e, by the forget bias of LSTM, as we measured beforehand."""
CLOSE = 0.2
SHOWN, APART = 60, 3
"""Lags of which there are rows, and how far they are apart."""


class Bias(Started):
    """A cell as it starts; it is one with a gate that forgets, which is a GRU's update gate."""

    cell: Annotated[str, named(CELLS)]
    input_size: Count
    hidden_size: Count
    batch_size: Count
    length: Annotated[Count, Field(ge=40)]

    def measure(self, given: Given) -> Rows:
        """Return the network's rate and horizon, and the error left at some lags."""
        import torch

        torch.manual_seed(self.seed)
        network = self.started(CELLS[self.cell](self.input_size, self.hidden_size)).double()
        log_T = decay(network, self.batch_size, self.length)
        lags = range(self.length // 10, self.length - self.length // 5)
        slope, _, _ = line(list(lags), log_T[lags.start : lags.stop].tolist())
        yield {
            "kind": "horizon",
            "name": self.called,
            "rate": -slope,
            "steps": -1 / slope if slope < 0 else None,
            "alone": None if self.bias is None else -1 / math.log(1 / (1 + math.exp(-self.bias))),
            "predicted": self.predicted,
        }
        for lag in range(0, min(self.length, SHOWN), APART):
            left = math.exp(float(log_T[lag] - log_T[0]))
            yield {"kind": "flow", "name": self.called, "lag": lag, "left": left}

    @property
    def predicted(self) -> float | None:
        """The horizon that is expected, where one is."""
        if self.bias is None or self.cell != "lstm":
            return None
        return PREDICTED.get(self.bias)

    @property
    def called(self) -> str:
        """What the start is called."""
        if self.bias is not None:
            return f"forget bias {self.bias:g}"
        return self.cell if self.start is None else f"{self.start} {self.longest}"


def decay(network: "Cell", batch_size: int, length: int) -> "Tensor":
    """Return ln ‖∂L/∂h‖ by lag, mean over samples, for error that comes in at the last step, (T,).

    The network reads noise of unit variance.
    """
    import torch

    from pipeline.measuring.gradients import log_error_left

    x_TBI = torch.randn(length, batch_size, network.input_size, dtype=torch.float64)
    path = network.follow(x_TBI, x_TBI.new_zeros(batch_size, network.state_size))
    return log_error_left(path, network.hidden_size)[1:].mean(dim=1).flip(0)


def horizons(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the horizon of each cell and start beside what was predicted."""
    found = rows[rows["kind"] == "horizon"]
    return pd.DataFrame(
        {
            "cell": cell,
            "start": name,
            "unit alone": seen["alone"].iloc[0],
            "steps": f"{steps:.2f}" if (steps := _steps(seen)) < math.inf else "error grows",
            "predicted": seen["predicted"].iloc[0],
            "rate": with_interval(seen["rate"], 4),
        }
        for cell, of_cell in found.groupby("cell", sort=False)
        for name, seen in of_cell.groupby("name", sort=False)
    )


def _steps(seen: pd.DataFrame) -> float:
    """Return 1 / the mean rate; infinity where error does not fall."""
    rate = seen["rate"].mean()
    return 1 / rate if rate > 0 else math.inf


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold LSTM to the four horizons, and every cell to their order."""
    found = rows[(rows["kind"] == "horizon") & rows["bias"].notna()]
    for bias, rate in rates_by_bias(rows, "lstm").items():
        if (steps := PREDICTED.get(bias)) is not None:
            claim = (
                f"lstm: a forget bias of {bias:g} gives {steps:g} steps, to {CLOSE:.0%} (1 / rate)"
            )
            low, high = (1 / (steps * (1 + off)) for off in (CLOSE, -CLOSE))
            yield within(claim, rate, low, high, expected=1)
    for cell in found["cell"].unique():
        levels = pd.DataFrame(rates_by_bias(rows, cell))
        if levels.shape[1] > 1:
            claim = f"{cell}: the rate falls as the bias rises"
            yield monotone(claim, levels, falls=True, expected=2).if_missed(GROWS)


GROWS = (
    "once error does not fall but grows, a gate that is further open brings the rate back to 0 "
    "from below: what is kept whole neither falls nor grows"
)
"""Why the rate would rise with the bias, as JANET's does from 3 to 4."""


def rates_by_bias(rows: pd.DataFrame, cell: str) -> dict[float, pd.Series]:
    """Return a cell's rates by seed, for each forget bias, the lowest first."""
    found = rows[(rows["kind"] == "horizon") & (rows["cell"] == cell) & rows["bias"].notna()]
    return {
        float(str(bias)): seen.set_index("seed")["rate"] for bias, seen in found.groupby("bias")
    }


def horizon(rate: pd.Series) -> str:
    """Return 1 / the mean rate as words, with its interval; of one that may be 0, what it exceeds.

    A mean rate of 0 and below has none.
    """
    mean, width = rate.mean(), half_width(rate)
    if mean <= 0:
        return "none, since error grows"
    if math.isnan(width):
        return f"{1 / mean:.3g}"
    ends = f"{1 / (mean + width):.3g} to {1 / (mean - width):.3g}"
    return f"{1 / mean:.3g} ({ends})" if mean > width else f"more than {1 / (mean + width):.3g}"


PART = Part(
    __doc__,
    Bias,
    expects,
    figures=(
        Figure(
            name="bias-horizon",
            title="Horizon at the start, by forget bias",
            caption="Steps over which error falls by e. Dashed: as predicted of LSTM. Where error "
            "grows there is no horizon.",
            where={"kind": "horizon", "start": "forget_bias"},
            x="bias",
            y="steps",
            hue="cell",
            theory="predicted",
            log_y=True,
            labels={"bias": "forget bias", "steps": "horizon (steps)"},
        ),
        Figure(
            name="bias-flow",
            title="What is left of error, by lag",
            caption="‖∂L/∂h‖ over that at the last step, before any training; mean over samples.",
            where={"kind": "flow"},
            x="lag",
            y="left",
            hue="name",
            column="cell",
            log_y=True,
            labels={"lag": "steps back", "left": "error left", "name": "start"},
        ),
        Table(
            name="bias-horizons",
            title="Horizon at the start, in steps",
            caption="1 / the mean rate; rate: how much the logarithm of error falls a step, mean ± "
            "95 % interval over seeds. Unit alone: -1 / ln sigmoid(bias).",
            build=horizons,
        ),
    ),
)
