"""What initialisations share: their contract, and how to find a cell's weights and gates."""

import abc
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lightning_modules.cells._forward import ForwardCell
from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.interfaces import Cell


class Start(abc.ABC):
    """An initialisation of some of a cell's weights; it leaves the others as they were."""

    @abc.abstractmethod
    def apply(self, cell: Cell) -> None:
        """Set weights in place, in every layer of a stack; ValueError if the cell has none such."""


def layers(cell: Cell) -> Iterator[UnitwiseCell]:
    """Iterate over the unit-wise cells: the cell itself, or a stack's layers from below.

    ValueError if there are none, or if one is a ``ForwardCell``, whose weights have no known roles.
    """
    found = [module for module in cell.modules() if isinstance(module, UnitwiseCell)]
    other = next((module for module in cell.modules() if isinstance(module, ForwardCell)), None)
    if other is not None or not found:
        name = type(other or cell).__name__
        raise ValueError(f"{name} has no U, W and b that a start knows: set its weights yourself")
    yield from found


@torch.no_grad()
def set_recurrent(cell: Cell, draw: Callable[[Tensor], object]) -> None:
    """Let ``draw`` fill every gate's block of W, (H, H), in place; ValueError without a W."""
    for layer in layers(cell):
        if not layer.W.numel():
            raise ValueError(f"{type(layer).__name__} has no recurrent weights to start from")
        for block_HH in layer.W.split(layer.hidden_size):
            draw(block_HH)


def positive(**settings: float) -> None:
    """Raise ValueError for the first setting that is not finite and above 0."""
    for name, value in settings.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value}: it must be finite and above 0")


@torch.no_grad()
def gate_biases(layer: UnitwiseCell) -> dict[str, Tensor]:
    """Return each gate's rows of b, (H,), by the gate's name; empty if the cell has no gates.

    A cell gives its gates' values but not which rows of z they are computed from. So a step is
    taken from a zero state with a different value in every block of z: a gate is the sigmoid of
    its own block's value.
    """
    H, b_GH = layer.hidden_size, layer.b.view(-1, layer.hidden_size)
    value_G = torch.linspace(-1, 1, len(b_GH), dtype=b_GH.dtype, device=b_GH.device)
    z_1Z, s_1S = value_G.repeat_interleave(H)[None], b_GH.new_zeros(1, layer.state_size)
    next_1S, found = torch.empty_like(s_1S), {}
    layer.advance(z_1Z, s_1S, next_1S)
    for name, gate_1H in layer.gates(z_1Z, s_1S, next_1S).items():
        distance_G = (value_G.sigmoid() - gate_1H[0, 0]).abs()
        found[name] = b_GH[int(distance_G.argmin())]
    return found


def forgetting(layer: UnitwiseCell) -> Tensor:
    """Return the biases, (H,), of the gate that decides how much of the state is kept.

    It is the forget gate, or the update gate of a cell that has none, such as the GRU. ValueError
    if there is neither.
    """
    biases = gate_biases(layer)
    for name in ("forget", "update"):
        if name in biases:
            return biases[name]
    raise ValueError(f"{type(layer).__name__} has no gate that says how much of the state is kept")
