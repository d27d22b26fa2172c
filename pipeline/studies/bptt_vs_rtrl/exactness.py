"""Is the gradient of every algorithm on every cell the one of automatic differentiation?"""

import itertools
from collections.abc import Iterator
from typing import Annotated

import pandas as pd
import torch
from pydantic import PositiveInt
from torch import Tensor

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.measures import autograd_gradient, by_block, relative_error
from pipeline.study import Check, Rows, Section, Study, Table, Trial, named

TOLERANCE = 1e-12


class Params(Section):
    """Every cell is run under every algorithm; ``srn`` under each activation."""

    cells: list[Annotated[str, named(CELLS)]]
    activations: list[str]
    algorithms: list[Annotated[str, named(ALGORITHMS)]]
    length: PositiveInt
    batch_size: PositiveInt
    input_size: PositiveInt
    hidden_size: PositiveInt
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every cell (and activation) under every algorithm and seed."""
    kinds = [
        (cell, activation)
        for cell in p.cells
        for activation in (p.activations if cell == "srn" else [None])
    ]
    for (cell, activation), algorithm, seed in itertools.product(
        kinds, p.algorithms, range(p.seeds)
    ):
        yield {
            "cell": cell,
            "activation": activation,
            "algorithm": algorithm,
            "length": p.length,
            "batch_size": p.batch_size,
            "input_size": p.input_size,
            "hidden_size": p.hidden_size,
            "seed": seed,
        }


def measure(
    cell: str,
    activation: str | None,
    algorithm: str,
    length: int,
    batch_size: int,
    input_size: int,
    hidden_size: int,
    seed: int,
) -> Rows:
    """Return the relative error of each block of weights, on a masked loss with resets."""
    torch.manual_seed(seed)
    options = {"activation": activation} if activation else {}
    network = CELLS[cell](input_size, hidden_size, **options).double()
    x_TBI = torch.randn(length, batch_size, input_size, dtype=torch.float64)
    s_BS = torch.randn(batch_size, network.state_size, dtype=torch.float64)
    target_TBS = torch.randn(length, *s_BS.shape, dtype=torch.float64)
    mask_TB1 = (torch.rand(length, batch_size, 1) < 0.7).double()
    resets_TB = torch.rand(length, batch_size) < 2 / length

    def loss(t: int, s_BS: Tensor) -> Tensor:
        return (mask_TB1[t] * (s_BS - target_TBS[t]).square()).sum() / 2

    def credit(t: int, s_BS: Tensor) -> Tensor:
        return mask_TB1[t] * (s_BS - target_TBS[t])

    rule = ALGORITHMS[algorithm]()
    g_P = rule.gradient(network, x_TBI, s_BS, credit, resets_TB)
    exact_P = autograd_gradient(network, x_TBI, s_BS, loss, resets_TB)
    blocks = zip(by_block(network, g_P), by_block(network, exact_P), strict=True)
    for (block, g), (_, exact) in blocks:
        yield {
            "block": block,
            "claim": rule.claim.name.lower(),
            "relative_error": relative_error(g, exact),
        }


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the exact algorithms to rounding, for each block of weights."""
    worst = rows[rows["claim"] == "exact"].groupby("algorithm")["relative_error"].max()
    for algorithm, error in worst.items():
        yield Check(
            f"{algorithm}: relative error ≤ {TOLERANCE:.0e} on every cell and block of weights",
            bool(error <= TOLERANCE),
            f"worst {error:.1e}",
        )


def _worst(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the worst relative error of each cell under each algorithm."""
    kind = rows["cell"].str.cat(rows["activation"].fillna(""), sep=" ").str.strip()
    worst = rows.assign(cell=kind).pivot_table(
        index="cell", columns="algorithm", values="relative_error", aggfunc="max"
    )
    return worst.map(lambda error: f"{error:.1e}").reset_index()


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Table(
            name="exactness",
            title="Distance from automatic differentiation",
            caption="Worst relative error ‖g − g*‖ / ‖g*‖ over blocks of weights and seeds, in "
            "float64. The sequence crosses block boundaries, holds resets in mid-stream and a "
            "masked loss, with more than one sample. TBPTT is not exact and is shown beside.",
            build=_worst,
        ),
    ),
)
