"""Is the gradient of every algorithm on every cell the one of automatic differentiation?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring import evidence
from pipeline.study import Claim, Count, Given, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Cell

TOLERANCE = 1e-12


class Exactness(Trial):
    """A cell under an algorithm, on random inputs and targets in float64."""

    cell: Annotated[str, named(CELLS)]
    activation: str | None = None
    """Of srn."""
    algorithm: Annotated[str, named(ALGORITHMS)]
    length: Count
    batch_size: Count
    input_size: Count
    hidden_size: Count

    def measure(self, given: Given) -> Rows:
        """Return the relative error of each block of weights, on a masked loss with resets."""
        import torch

        from pipeline.measuring.gradients import autograd_gradient, by_block, relative_error

        torch.manual_seed(self.seed)
        network = self._network().double()
        sizes = self.length, self.batch_size
        x_TBI = torch.randn(*sizes, self.input_size, dtype=torch.float64)
        s_BS = torch.randn(self.batch_size, network.state_size, dtype=torch.float64)
        target_TBS = torch.randn(self.length, *s_BS.shape, dtype=torch.float64)
        mask_TB1 = (torch.rand(*sizes, 1) < 0.7).double()
        resets_TB = torch.rand(*sizes) < 2 / self.length

        def loss(t: int, s_BS: "Tensor") -> "Tensor":
            return (mask_TB1[t] * (s_BS - target_TBS[t]).square()).sum() / 2

        def credit(t: int, s_BS: "Tensor") -> "Tensor":
            return mask_TB1[t] * (s_BS - target_TBS[t])

        rule = ALGORITHMS[self.algorithm]()
        g_P = rule.gradient(network, x_TBI, s_BS, credit, resets_TB)
        exact_P = autograd_gradient(network, x_TBI, s_BS, loss, resets_TB)
        blocks = zip(by_block(network, g_P), by_block(network, exact_P), strict=True)
        for (block, g), (_, exact) in blocks:
            yield {
                "block": block,
                "claim": rule.claim.name.lower(),
                "relative_error": relative_error(g, exact),
            }

    def _network(self) -> "Cell":
        options = {"activation": self.activation} if self.activation else {}
        return CELLS[self.cell](self.input_size, self.hidden_size, **options)


class Stacked(Exactness):
    """Cells one above the other, each of as many units."""

    layer: Annotated[str, named(CELLS)]
    """What the cell, a stack, is made of."""
    layers: Count

    def _network(self) -> "Cell":
        inputs = [self.input_size, *[self.hidden_size] * (self.layers - 1)]
        return CELLS[self.cell]([CELLS[self.layer](of, self.hidden_size) for of in inputs])


def expects(rows: pd.DataFrame, where: str = "cell and block of weights") -> Iterator[Claim]:
    """Hold the exact algorithms to rounding, for each block of weights."""
    for algorithm, of in rows[rows["claim"] == "exact"].groupby("algorithm"):
        claim = f"{algorithm}: the gradient is exact on every {where}"
        yield evidence.exact(claim, float(of["relative_error"].max()), TOLERANCE, expected=1)


def expects_of_stacks(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold them to it where cells are stacked."""
    return expects(rows, "stack, too")


def _worst(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the worst relative error of each cell under each algorithm."""
    kind = rows["cell"].str.cat(rows["activation"].fillna(""), sep=" ").str.strip()
    worst = rows.assign(cell=kind).pivot_table(
        index="cell", columns="algorithm", values="relative_error", aggfunc="max"
    )
    return worst.map(lambda error: "–" if pd.isna(error) else f"{error:.1e}").reset_index()


def _worst_of_stacks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return it of each stack."""
    layers = rows["layers"].astype(int).astype(str) + " × " + rows["layer"]
    return _worst(rows.assign(cell=layers, activation=None)).rename(columns={"cell": "stack"})


PART = Part(
    __doc__,
    Exactness,
    expects,
    figures=(
        Table(
            name="exactness",
            title="Distance from automatic differentiation",
            caption="Worst relative error ‖g − g*‖ / ‖g*‖ over blocks of weights and seeds, in "
            "float64. The sequence crosses block boundaries, holds resets in mid-stream and a "
            "masked loss, with more than one sample. TBPTT is not exact and is shown beside; "
            "diagonal RTRL is for cells whose units do not hear one another.",
            build=_worst,
        ),
    ),
)
STACKS = Part(
    "Is it, where cells stand one above the other?",
    Stacked,
    expects_of_stacks,
    figures=(
        Table(
            name="exactness-stacks",
            title="Distance from automatic differentiation, of stacks",
            caption="Worst relative error over blocks of weights and seeds, in float64, on such a "
            "sequence.",
            build=_worst_of_stacks,
        ),
    ),
)
