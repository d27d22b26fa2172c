"""One entry per method: a small instance and facts known beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.cells.gru import GRU
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.srn import SRN

INPUTS, UNITS = 3, 4


@dataclass(frozen=True)
class CellCase:
    """A cell of ``INPUTS`` inputs and ``UNITS`` units; ``others`` are its other forms by name."""

    build: Callable[[], UnitwiseCell]
    state_size: int
    parameters: int
    twin: Callable[[UnitwiseCell, Tensor], Tensor] | None = None
    """(cell, x_TBI) -> the h of every step from a zero state, by someone else's implementation."""
    others: Mapping[str, Callable[[], UnitwiseCell]] = field(default_factory=dict)
    refused: tuple[tuple[Callable[[], UnitwiseCell], str], ...] = ()
    """What cannot be built, and what the error must say."""


def _twin_srn(cell: UnitwiseCell, x_TBI: Tensor) -> Tensor:
    return _follow(nn.RNN(INPUTS, UNITS), (cell.U, cell.W, cell.b, torch.zeros(UNITS)), x_TBI)


def _twin_lstm(cell: UnitwiseCell, x_TBI: Tensor) -> Tensor:
    # torch has the gates as i, f, g, o.
    U, W, b = (
        torch.cat([w[: 2 * UNITS], w[3 * UNITS :], w[2 * UNITS : 3 * UNITS]])
        for w in cell.parameters()
    )
    return _follow(nn.LSTM(INPUTS, UNITS), (U, W, b, torch.zeros(4 * UNITS)), x_TBI)


def _twin_gru(cell: UnitwiseCell, x_TBI: Tensor) -> Tensor:
    # torch has them as r, u, n, with two biases; its second acts on n's recurrent half.
    (U_n, U_r, U_u), W = cell.U.split(UNITS), cell.W
    b_nx, b_r, b_u, b_nh = cell.b.split(UNITS)
    b_x, b_h = torch.cat([b_r, b_u, b_nx]), torch.cat([torch.zeros(2 * UNITS), b_nh])
    return _follow(nn.GRU(INPUTS, UNITS), (torch.cat([U_r, U_u, U_n]), W, b_x, b_h), x_TBI)


def _follow(twin: nn.RNNBase, weights: tuple[Tensor, ...], x_TBI: Tensor) -> Tensor:
    """Give torch's layer the weights and return its outputs."""
    twin = twin.to(x_TBI.dtype)
    with torch.no_grad():
        for into, w in zip(twin.parameters(), weights, strict=True):
            into.copy_(w)
        return twin(x_TBI)[0]


CELL_CASES = {
    "srn": CellCase(
        build=lambda: SRN(INPUTS, UNITS),
        state_size=UNITS,
        parameters=UNITS * (INPUTS + UNITS + 1),
        twin=_twin_srn,
        others={
            "logistic": lambda: SRN(INPUTS, UNITS, activation="logistic"),
            "relu": lambda: SRN(INPUTS, UNITS, activation="relu"),
        },
        refused=(
            (lambda: SRN(INPUTS, UNITS, activation="tahn"), "did you mean 'tanh'?"),
            (lambda: SRN(INPUTS, 0), "hidden_size is 0"),
        ),
    ),
    "lstm": CellCase(
        build=lambda: LSTM(INPUTS, UNITS),
        state_size=2 * UNITS,
        parameters=4 * UNITS * (INPUTS + UNITS + 1),
        twin=_twin_lstm,
        refused=((lambda: LSTM(0, UNITS), "input_size is 0"),),
    ),
    "gru": CellCase(
        build=lambda: GRU(INPUTS, UNITS),
        state_size=UNITS,
        parameters=3 * UNITS * (INPUTS + UNITS) + 4 * UNITS,
        twin=_twin_gru,
        refused=((lambda: GRU(INPUTS, -1), "hidden_size is -1"),),
    ),
}

CELL_BUILDS = {
    f"{name}-{form}" if form else name: build
    for name, case in CELL_CASES.items()
    for form, build in {"": case.build, **case.others}.items()
}
"""Every cell in every form, by name."""
