"""What becomes of a memory that nothing is ever taken from?

A network as it starts reads noise, x ~ N(0, 1). The two residual recurrences only ever add to h:
the first, h + g(x), what the input makes; the second, h + g(x, h), what input and h make together.
``size`` is the root mean square of h. ``written`` is how far an input still moves the state that it
comes to: the root mean square of ∂h_t/∂x_t, over that of the first step. These are the two problems
that gates answer: what is never forgotten grows, and what has grown saturates what it feeds.

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8): a
        memory cell needs gates against input that is irrelevant, and its state drifts.
    Gers, Schmidhuber & Cummins (2000), Learning to forget, Neural Computation 12(10): states that
        grow without bound.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import Field

from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import above, below, identity, within
from pipeline.measuring.statistics import exponent
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Cell

FIRST, SECOND = "residual", "residual_recurrent"
GATED = "lstm", "gru"
STEPS = 1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 700, 1000
"""Steps of which there are rows."""
SETTLED = 100
"""From which step on size is said to grow as a power of steps."""
SLOWEST, STILL, LITTLE, MUCH = 0.45, 0.1, 0.1, 0.5
"""Of the power: the least that is growth of a sum, the most that is none; and of what is written:
what is little, what is much."""

BALANCED = (
    "one or two units in a hundred, such as weigh themselves negatively, are held in balance where "
    "they do not saturate; inputs get in by them, however long it goes on"
)
"""Why an input would move more."""


class Saturation(Trial):
    """A cell as it starts, along noise."""

    cell: Annotated[str, named(CELLS)]
    input_size: Count
    hidden_size: Count
    batch_size: Count
    length: Annotated[Count, Field(ge=4 * SETTLED)]

    def measure(self, given: Given) -> Rows:
        """Return the size of h, and how far an input still moves it, at some steps."""
        import torch

        torch.manual_seed(self.seed)
        network = CELLS[self.cell](self.input_size, self.hidden_size).double()
        x_TBI = torch.randn(self.length, self.batch_size, self.input_size, dtype=torch.float64)
        s_BS = x_TBI.new_zeros(self.batch_size, network.state_size)
        states_TBS = torch.cat([s_BS.unsqueeze(0), network.follow(x_TBI, s_BS).states_TBS])
        h_TBH, first = states_TBS[..., : self.hidden_size], None
        for t in (t for t in STEPS if t <= self.length):
            written = _written(network, x_TBI[t - 1], states_TBS[t - 1])
            first = first or written
            yield {
                "t": t,
                "size": float(h_TBH[t].square().mean().sqrt()),
                "largest": float(h_TBH[t].abs().max()),
                "written": written / first,
            }


def _written(network: "Cell", x_BI: "Tensor", s_BS: "Tensor") -> float:
    """Return the root mean square of an entry of ∂h/∂x, by random directions of h."""
    import torch

    x_BI = x_BI.clone().requires_grad_()
    h_BH = network(x_BI, s_BS)[:, : network.hidden_size]
    (g_BI,) = torch.autograd.grad((torch.randn_like(h_BH) * h_BH).sum(), x_BI)
    return float((g_BI.square().mean() / network.hidden_size).sqrt())


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold growth and what is written to what is expected of each cell."""
    cells = set(rows["cell"])
    power, written = powers(rows), last(rows, "written")
    if FIRST in cells:
        claim = f"{FIRST}: |h| grows as the root of steps, or faster"
        yield above(claim, power[FIRST], SLOWEST, expected=11)
    if SECOND in cells:
        claim = f"{SECOND}: |h| grows in proportion to steps"
        yield within(claim, power[SECOND], 1 - STILL, 1 + STILL, expected=11)
        claim = f"{SECOND}: an input at the end moves h by less than a tenth of what the first did"
        yield below(claim, written[SECOND], LITTLE, expected=12).if_missed(BALANCED)
    for cell in (cell for cell in GATED if cell in cells):
        most = rows.loc[rows["cell"] == cell, "largest"].max()
        yield identity(f"{cell}: |h| stays below 1", most < 1, f"{most:.3f}", expected=11)
        claim = f"{cell}: |h| does not grow"
        yield within(claim, power[cell], -STILL, STILL, expected=11)
    for cell in (cell for cell in (FIRST, *GATED) if cell in cells):
        claim = f"{cell}: an input at the end moves h by half of what the first did, or more"
        yield above(claim, written[cell], MUCH, expected=12)


def powers(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Fit size ~ t^k over the later steps; return k by seed, of each cell."""
    late = rows[rows["t"] >= SETTLED]
    found: dict[str, dict[Any, float]] = {}
    for (cell, seed), of in late.groupby(["cell", "seed"]):
        found.setdefault(str(cell), {})[seed], _ = exponent(of["t"].tolist(), of["size"].tolist())
    return {cell: pd.Series(by) for cell, by in found.items()}


def last(rows: pd.DataFrame, column: str) -> dict[str, pd.Series]:
    """Return a column at the last step by seed, of each cell."""
    ends = rows[rows["t"] == rows["t"].max()].set_index("seed")
    return {str(cell): of[column] for cell, of in ends.groupby("cell")}


def _figure(name: str, title: str, caption: str, y: str) -> Figure:
    """Return one quantity against steps, both axes logarithmic."""
    return Figure(
        name=name,
        title=title,
        caption=caption,
        x="t",
        y=y,
        hue="cell",
        log_x=True,
        log_y=True,
        labels={"t": "steps", "size": "root mean square of h", "written": "of the first step's"},
    )


PART = Part(
    __doc__,
    Saturation,
    expects,
    figures=(
        _figure(
            "saturation-size",
            "Memory that is only added to grows",
            "Networks as they start, along noise: the size of what is remembered.",
            "size",
        ),
        _figure(
            "saturation-written",
            "Memory that has grown cannot be written to",
            "How far an input still moves the state that it comes to, ∂h_t/∂x_t, over the first "
            "step's.",
            "written",
        ),
    ),
)
