"""Cells one above the other, as one cell: the joint state is the memory of all.

    s'_1 = cell_1(x, s_1)        s'_l = cell_l(h'_{l-1}, s_l)        h' = h'_L

Layer l's input is the new h of the layer below. A step costs the sum of the layers'. The state is
s = [s_L, ..., s_1], the top layer's first, as the network sees its h; parameters and the rows of
z go from the bottom to the top. The influence of a layer on those above it is kept whole, so that
what is exact on a cell is exact on a stack, online too.

References:
    Schmidhuber (1992), Learning complex, extended sequences using the principle of history
        compression, Neural Computation 4(2).
    Graves, Mohamed & Hinton (2013), Speech recognition with deep recurrent neural networks, ICASSP.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol, cast, final

import torch
from torch import Tensor, nn

from lightning_modules.cells._stacked import Place, StackedTrajectory
from lightning_modules.interfaces import Cell, Trajectory


class _Layer(Protocol):
    """What a stack must know of a cell to send credit on to the layer below."""

    U: Tensor
    input_rows: slice


@final
class Stack(Cell):
    """Any cells whose input enters z by one map U, stacks too."""

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
            if not (hasattr(cell, "U") and hasattr(cell, "input_rows")):
                name = type(cell).__name__
                raise ValueError(f"{name} cannot be stacked: it has no map U that takes x to z")
        self.cells = nn.ModuleList(cells)
        self._refuse_shared(dict(self.named_parameters(remove_duplicate=False)))
        self.input_size, self.hidden_size = cells[0].input_size, cells[-1].hidden_size
        self.state_size = sum(cell.state_size for cell in cells)

    @property
    def U(self) -> Tensor:  # noqa: N802
        """The bottom layer's, by which x enters."""
        return _layer(self._all[0]).U

    @property
    def input_rows(self) -> slice:
        """The rows of z that U x enters: the bottom layer's come first."""
        return _layer(self._all[0]).input_rows

    def _refuse_shared(self, named: Mapping[str, Tensor]) -> None:
        """Raise ValueError if a weight has two names: its gradient would be counted as two."""
        first: dict[int, str] = {}
        for name, weight in named.items():
            other = first.setdefault(id(weight), name)
            if other != name:
                raise ValueError(
                    f"{name} is {other}: each cell of a stack needs weights of its own, so build "
                    "another cell, or copy.deepcopy this one"
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
        # They may have been tied since: those of the layers, without those of stacks within.
        weights = [w for cell in self._all for w in cell._parameters.values()]
        if len({id(w) for w in weights}) < len(weights):
            self._refuse_shared(dict(self.named_parameters(remove_duplicate=False)))
        for cell, s in zip(self._all, self._split(s_BS), strict=True):
            layers.append(cell.follow(x_TBI, s, resets_TB))
            x_TBI = layers[-1].states_TBS[..., : cell.hidden_size]
        states_TBS = torch.cat([path.states_TBS for path in reversed(layers)], dim=-1)
        U_LT = [[_layer(cell).U.clone()] * len(x_TBI) for cell in self._all]
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
            places.append(Place(*of, _layer(cell).input_rows, cell.hidden_size))
            stop, row, weight = of[0].start, of[1].stop, of[2].stop
        return places


def _layer(cell: Cell) -> _Layer:
    """Return the cell as one whose U is known."""
    return cast("_Layer", cell)
