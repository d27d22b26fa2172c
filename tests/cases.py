"""One entry per method: a small instance and facts known beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from lightning_modules.cells._forward import ForwardCell
from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.cells.ablated_lstm import AblatedLSTM
from lightning_modules.cells.coupled_lstm import CoupledLSTM
from lightning_modules.cells.diagonal import Diagonal
from lightning_modules.cells.elstm import ELSTM
from lightning_modules.cells.embedding import Embedding
from lightning_modules.cells.gru import GRU
from lightning_modules.cells.janet import JANET
from lightning_modules.cells.layer_norm_lstm import LayerNormLSTM
from lightning_modules.cells.leaky import Leaky
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.min_gru import MinGRU
from lightning_modules.cells.narx import NARX
from lightning_modules.cells.peephole_lstm import PeepholeLSTM
from lightning_modules.cells.residual import Residual
from lightning_modules.cells.residual_recurrent import ResidualRecurrent
from lightning_modules.cells.saturated_linear import SaturatedLinear
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Cell
from tests import formulas, torch_layers

INPUTS, UNITS = 3, 4


@dataclass(frozen=True)
class CellCase:
    """A cell of ``INPUTS`` inputs and ``UNITS`` units; ``others`` are its other forms by name."""

    build: Callable[[], Cell]
    state_size: int
    parameters: int
    twin: Callable[[Any, Tensor], Tensor] | None = None
    """(cell, x_TBI) -> the h of every step from a zero state, by torch's layer or a formula."""
    others: Mapping[str, Callable[[], Cell]] = field(default_factory=dict)
    refused: tuple[tuple[Callable[[], Cell], str], ...] = ()
    """What cannot be built, and what the error must say."""
    diagonal: bool = False
    """Its Jacobian is diagonal by unit."""
    by_unit: bool = True
    """Each of its parameters belongs to one unit."""
    remembers: bool = True
    """Its state depends on the one before."""
    short: float = 0.99
    """What the cosine of a gradient through 12 of 23 steps exceeds."""


CELL_CASES = {
    "srn": CellCase(
        build=lambda: SRN(INPUTS, UNITS),
        state_size=UNITS,
        parameters=UNITS * (INPUTS + UNITS + 1),
        twin=torch_layers.srn,
        others={
            "logistic": lambda: SRN(INPUTS, UNITS, activation="logistic"),
            "relu": lambda: SRN(INPUTS, UNITS, activation="relu"),
            "linear": lambda: SRN(INPUTS, UNITS, activation="linear"),
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
        twin=torch_layers.lstm,
        refused=((lambda: LSTM(0, UNITS), "input_size is 0"),),
    ),
    "gru": CellCase(
        build=lambda: GRU(INPUTS, UNITS),
        state_size=UNITS,
        parameters=3 * UNITS * (INPUTS + UNITS) + 4 * UNITS,
        twin=torch_layers.gru,
        refused=((lambda: GRU(INPUTS, -1), "hidden_size is -1"),),
    ),
    "residual": CellCase(
        build=lambda: Residual(INPUTS, UNITS),
        state_size=UNITS,
        parameters=UNITS * (INPUTS + 1),
        twin=formulas.residual,
        diagonal=True,
    ),
    "residual_recurrent": CellCase(
        build=lambda: ResidualRecurrent(INPUTS, UNITS),
        state_size=UNITS,
        parameters=UNITS * (INPUTS + UNITS + 1),
        twin=formulas.residual_recurrent,
        short=0.9,
    ),
    "saturated_linear": CellCase(
        build=lambda: SaturatedLinear(INPUTS, UNITS),
        state_size=UNITS,
        parameters=UNITS * (INPUTS + UNITS + 1),
        twin=formulas.saturated_linear,
        refused=((lambda: SaturatedLinear(INPUTS, 0), "hidden_size is 0"),),
    ),
    "leaky": CellCase(
        build=lambda: Leaky(INPUTS, UNITS, tau=3.0),
        state_size=UNITS,
        parameters=UNITS * (INPUTS + UNITS + 1),
        twin=formulas.leaky,
        others={"default": lambda: Leaky(INPUTS, UNITS)},
        refused=(
            (lambda: Leaky(INPUTS, UNITS, tau=0.5), "dt is 1.0 and tau is 0.5"),
            (lambda: Leaky(INPUTS, UNITS, dt=0.0), "dt must be above 0"),
        ),
    ),
    "elstm": CellCase(
        build=lambda: ELSTM(INPUTS, UNITS),
        state_size=2 * UNITS,
        parameters=4 * UNITS * INPUTS + 8 * UNITS,
        twin=formulas.elstm,
        diagonal=True,
    ),
    "embedding": CellCase(
        build=lambda: Embedding(INPUTS, UNITS),
        state_size=UNITS,
        parameters=UNITS * (INPUTS + 1),
        twin=formulas.embedding,
        diagonal=True,
        remembers=False,
        refused=((lambda: Embedding(0, UNITS), "input_size is 0"),),
    ),
    "diagonal": CellCase(
        build=lambda: Diagonal(INPUTS, UNITS),
        state_size=2 * UNITS,
        parameters=2 * UNITS * INPUTS + 5 * UNITS,
        twin=formulas.diagonal,
        others={"real": lambda: Diagonal(INPUTS, UNITS, form="real")},
        refused=(
            (lambda: Diagonal(INPUTS, UNITS, form="reel"), "did you mean 'real'?"),
            (lambda: Diagonal(INPUTS, UNITS, r_min=1.0), "r_min is 1.0 and r_max is 1.0"),
        ),
        diagonal=True,
    ),
    "peephole_lstm": CellCase(
        build=lambda: PeepholeLSTM(INPUTS, UNITS),
        state_size=2 * UNITS,
        parameters=4 * UNITS * (INPUTS + UNITS + 1) + 3 * UNITS,
        twin=formulas.peephole_lstm,
    ),
    "coupled_lstm": CellCase(
        build=lambda: CoupledLSTM(INPUTS, UNITS),
        state_size=2 * UNITS,
        parameters=3 * UNITS * (INPUTS + UNITS + 1),
        twin=formulas.coupled_lstm,
    ),
    "ablated_lstm": CellCase(
        build=lambda: AblatedLSTM(INPUTS, UNITS),
        state_size=2 * UNITS,
        parameters=3 * UNITS * (INPUTS + UNITS + 1),
        twin=formulas.ablated_lstm,
        others={
            part: lambda part=part: AblatedLSTM(INPUTS, UNITS, without=part)
            for part in ("input", "output", "input_activation", "output_activation")
        },
        refused=((lambda: AblatedLSTM(INPUTS, UNITS, without="forgt"), "did you mean 'forget'?"),),
    ),
    "janet": CellCase(
        build=lambda: JANET(INPUTS, UNITS),
        state_size=UNITS,
        parameters=2 * UNITS * (INPUTS + UNITS + 1),
        twin=formulas.janet,
    ),
    "min_gru": CellCase(
        build=lambda: MinGRU(INPUTS, UNITS),
        state_size=UNITS,
        parameters=2 * UNITS * (INPUTS + 1),
        twin=formulas.min_gru,
        diagonal=True,
    ),
    "layer_norm_lstm": CellCase(
        build=lambda: LayerNormLSTM(INPUTS, UNITS),
        state_size=2 * UNITS,
        parameters=4 * UNITS * (INPUTS + UNITS + 1) + 2 * (4 + 4 + 1) * UNITS,
        twin=formulas.layer_norm_lstm,
        by_unit=False,
        refused=(
            (lambda: LayerNormLSTM(INPUTS, 0), "hidden_size is 0"),
            (lambda: LayerNormLSTM(0, UNITS), "input_size is 0"),
        ),
    ),
    "narx": CellCase(
        build=lambda: NARX(INPUTS, UNITS),
        state_size=3 * UNITS,
        parameters=UNITS * (INPUTS + 3 * UNITS + 1),
        twin=formulas.narx,
        by_unit=False,
        others={
            "inputs": lambda: NARX(INPUTS, UNITS, delays=2, input_delays=2),
            "units": lambda: NARX(INPUTS, UNITS, delays=2, input_delays=1, units=5),
        },
        refused=(
            (lambda: NARX(INPUTS, UNITS, delays=0), "delays is 0"),
            (lambda: NARX(INPUTS, UNITS, input_delays=-1), "input_delays is -1"),
            (lambda: NARX(INPUTS, UNITS, units=0), "units is 0"),
            (lambda: NARX(INPUTS, 0), "hidden_size is 0"),
        ),
    ),
    "stack": CellCase(
        build=lambda: Stack([LSTM(INPUTS, 2), SRN(2, UNITS)]),
        state_size=2 * 2 + UNITS,
        parameters=4 * 2 * (INPUTS + 2 + 1) + UNITS * (2 + UNITS + 1),
        twin=formulas.lstm_below_srn,
        by_unit=False,
        others={
            "three": lambda: Stack([Diagonal(INPUTS, 2), GRU(2, 3), ELSTM(3, UNITS)]),
            "embedded": lambda: Stack([Embedding(INPUTS, 2), LSTM(2, 3)]),
            "nested": lambda: Stack([SRN(INPUTS, 2), Stack([GRU(2, 3), Residual(3, UNITS)])]),
            "forward_above": lambda: Stack([GRU(INPUTS, 2), LayerNormLSTM(2, 2)]),
            "forward_below": lambda: Stack([LayerNormLSTM(INPUTS, 2), SRN(2, 3)]),
            "forward_both": lambda: Stack([LayerNormLSTM(INPUTS, 2), LayerNormLSTM(2, 2)]),
            "forward_nested": lambda: Stack(
                [SRN(INPUTS, 2), Stack([LayerNormLSTM(2, 2), SRN(2, 2)]), SRN(2, 2)]
            ),
        },
        refused=(
            (lambda: Stack([]), "a stack needs at least one"),
            (lambda: Stack([SRN(INPUTS, 5), SRN(UNITS, UNITS)]), "input_size is 4 above"),
            (
                lambda: Stack([SRN(INPUTS, UNITS)] + [SRN(UNITS, UNITS)] * 2),
                "cells.2.U is cells.1.U",
            ),
        ),
    ),
}

CELL_BUILDS = {
    f"{name}-{form}" if form else name: build
    for name, case in CELL_CASES.items()
    for form, build in {"": case.build, **case.others}.items()
}
"""Every cell in every form, by name."""

QUICK = [
    name
    for name, build in CELL_BUILDS.items()
    if not any(isinstance(module, ForwardCell) for module in build().modules())
]
"""Those that every algorithm meets at length; tests/test_forward_cells.py has it meet the others,
whose steps go by torch.func, briefly."""

UNITWISE = [name for name, build in CELL_BUILDS.items() if isinstance(build(), UnitwiseCell)]
"""Those that are one affine map and a unit-wise update."""


def case_of(name: str) -> CellCase:
    """Return the case that a build of ``CELL_BUILDS`` belongs to."""
    return CELL_CASES[name.split("-")[0]]
