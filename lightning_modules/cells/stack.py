"""Cells one above the other, as one cell: the joint state is the memory of all.

    s'_1 = cell_1(x, s_1)        s'_l = cell_l(h'_{l-1}, s_l)        h' = h'_L

Layer l's input is the new h of the layer below. A step costs the sum of the layers'. The state is
s = [s_L, ..., s_1], the top layer's first, since its h is what readouts see; parameters and the
rows of z go from the bottom to the top. The influence of a layer on those above it is kept whole,
so that an algorithm that is exact on a cell is exact on a stack, online too. Cells that define
``forward`` alone can be layers, slowly.

References:
    Schmidhuber (1992), Learning complex, extended sequences using the principle of history
        compression, Neural Computation 4(2).
    Graves, Mohamed & Hinton (2013), Speech recognition with deep recurrent neural networks, ICASSP.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol, cast, final

import torch
from torch import Tensor, nn

from lightning_modules.cells._forward import ForwardCell
from lightning_modules.cells._stacked import Place, StackedTrajectory
from lightning_modules.interfaces import Cell, Trajectory


class _Layer(Protocol):
    """What a stack must know of a cell, other than a ``ForwardCell``, to send credit down."""

    U: Tensor
    input_rows: slice


@final
class Stack(Cell):
    """A stack of cells whose x enters z by one map U, or that define ``forward`` alone."""

    def __init__(self, cells: Sequence[Cell]):
        """Stack ``cells``, the first at the bottom; each takes the h of the one below."""
        super().__init__()
        if not cells:
            raise ValueError("cells is empty: a stack needs at least one")
        for below, cell in pairwise(cells):
            if cell.input_size != below.hidden_size:
                raise ValueError(
                    f"input_size is {cell.input_size} above a layer of hidden_size "
                    f"{below.hidden_size}: they must be equal"
                )
        for cell in cells:
            first = _first(cell)
            if not (_is_forward(first) or (hasattr(first, "U") and hasattr(first, "input_rows"))):
                name = type(cell).__name__
                raise ValueError(
                    f"{name} cannot be stacked: it has no map U that takes x to z, and is no "
                    "ForwardCell"
                )
        self.cells = nn.ModuleList(cells)
        self._refuse_shared()
        self.input_size, self.hidden_size = cells[0].input_size, cells[-1].hidden_size
        self.state_size = sum(cell.state_size for cell in cells)

    def _refuse_shared(self) -> None:
        """Raise ValueError if two layers share a weight: it would count as two parameters.

        A cell that defines ``forward`` alone may use a weight of its own twice.
        """
        first: dict[int, str] = {}
        for level, cell in enumerate(self._all):
            once = any(isinstance(module, ForwardCell) for module in cell.modules())
            named = cell.named_parameters(f"cells.{level}", remove_duplicate=once)
            for name, weight in named:
                other = first.setdefault(id(weight), name)
                if other != name:
                    raise ValueError(
                        f"{name} is {other}: each cell of a stack needs weights of its own, so "
                        "build another cell, or copy.deepcopy this one"
                    )

    @property
    def _all(self) -> list[Cell]:
        """The layers, the bottom first."""
        return [cast("Cell", cell) for cell in self.cells]

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Return the next joint state, (B, S)."""
        new = []
        for cell, s in zip(self._all, self._split(s_BS), strict=True):
            new.append(cell(x_BI, s))
            x_BI = new[-1][..., : cell.hidden_size]
        return torch.cat(new[::-1], dim=-1)

    def _follow(self, x_TBI: Tensor, s_BS: Tensor, resets_TB: Tensor | None) -> Trajectory:
        """Run all T steps of a layer, then all of the one above."""
        layers: list[Trajectory] = []
        # Weights may have been tied since; stacks within this one check their own.
        weights = [w for cell in self._all for w in _own(cell)]
        if len({id(w) for w in weights}) < len(weights):
            self._refuse_shared()
        for cell, s in zip(self._all, self._split(s_BS), strict=True):
            layers.append(cell.follow(x_TBI, s, resets_TB))
            x_TBI = layers[-1].states_TBS[..., : cell.hidden_size]
        states_TBS = torch.cat([path.states_TBS for path in reversed(layers)], dim=-1)
        firsts = [_first(cell) for cell in self._all]
        U_LT = [
            [] if _is_forward(cell) else [_layer(cell).U.clone()] * len(x_TBI) for cell in firsts
        ]
        return StackedTrajectory(self._places(layers), layers, U_LT, states_TBS)

    def _split(self, s_BS: Tensor) -> list[Tensor]:
        """Return each layer's state, the bottom first."""
        sizes = [cell.state_size for cell in reversed(self._all)]
        return list(s_BS.split(sizes, dim=-1))[::-1]

    def _places(self, layers: list[Trajectory]) -> list[Place]:
        """Return where each layer lies."""
        places, stop, row, weight = [], self.state_size, 0, 0
        for cell, path in zip(self._all, layers, strict=True):
            of = (
                slice(stop - cell.state_size, stop),
                slice(row, row + path.pre_activations),
                slice(weight, weight + path.parameters),
            )
            first = _first(cell)
            rows = slice(0, first.state_size) if _is_forward(first) else _layer(first).input_rows
            places.append(Place(*of, rows, cell.hidden_size))
            stop, row, weight = of[0].start, of[1].stop, of[2].stop
        return places


def _first(cell: Cell) -> Cell:
    """Return the cell that x enters: of a stack the bottom one, whose rows of z come first."""
    return _first(cell._all[0]) if isinstance(cell, Stack) else cell


def _is_forward(cell: Cell) -> bool:
    """Tell whether the cell defines ``forward`` alone."""
    return isinstance(cell, ForwardCell)


def _own(cell: Cell) -> Iterable[Tensor | None]:
    """Return the weights of a layer, without those of stacks within, which check their own."""
    return cell.parameters() if _is_forward(cell) else cell._parameters.values()


def _layer(cell: Cell) -> _Layer:
    """Return the cell as one whose U is known."""
    return cast("_Layer", cell)
