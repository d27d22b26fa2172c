"""Which unit owns which parameter, found by asking the cell's own trajectory.

Every parameter multiplies one entry of [x, h, 1] into one row of z. Two gradients show which: with
[x, h, 1] all ones and credits 0, 1, 2 … on z, each parameter's gradient is its row; with [x, h] =
2, 3, 4 … and credits of one, it is its column.
"""

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from lightning_modules.interfaces import Cell, Trajectory


class Units(NamedTuple):
    """A cell's parameters by row of z, by column of [x, h, 1], and by unit, which is row % H."""

    row_P: Tensor
    column_P: Tensor
    owner_P: Tensor
    place_P: Tensor
    """Where each parameter stands in a flattened (Z, I + H + 1)."""
    of_h_ZH: Tensor
    """Which parameter multiplies each entry of h into each row of z; P where none does."""
    inputs: int
    hidden: int
    state_blocks: int
    pre_activations: int

    def recurrent(self, cell: Cell) -> Tensor:
        """Return the present weights from h to z, (Z, H)."""
        flat = [w.detach().flatten() for w in cell.parameters()]
        w_P1 = torch.cat([*flat, flat[0].new_zeros(1)])
        return w_P1.index_select(0, self.of_h_ZH.flatten()).view_as(self.of_h_ZH)


def units_of(cell: Cell, like: Tensor) -> Units:
    """Return the cell's units; ValueError if its parameters do not belong to units."""
    inputs, H, S = cell.input_size, cell.hidden_size, cell.state_size
    if like.dtype.itemsize < 4:  # half precision cannot represent all of these whole numbers
        cell, like = copy.deepcopy(cell).float(), like.float()
    count, columns = torch.arange(2, inputs + S + 2).to(like), inputs + H + 1
    step = cell.follow(count[:inputs].view(1, 1, -1), count[inputs:].view(1, -1))
    _refuse_without_units(cell, step)
    Z = step.pre_activations
    # A constant's column comes back as 1, which is put last.
    column_P = (step.gradient(like.new_ones(1, 1, Z)).round().long() - 2) % columns
    step = cell.follow(like.new_ones(1, 1, inputs), like.new_ones(1, S))
    row_P = step.gradient(torch.arange(Z).to(like).view(1, 1, Z)).round().long()
    place_P = row_P * columns + column_P
    if S % H or Z % H or not _distinct(step, row_P, place_P) or not _apart(step, S, H, like):
        raise _no_units(cell)
    of_h_ZH = torch.full((Z, columns), step.parameters, device=like.device)
    of_h_ZH.view(-1)[place_P] = torch.arange(step.parameters, device=like.device)
    of_h_ZH = of_h_ZH[:, inputs : inputs + H].contiguous()
    return Units(row_P, column_P, row_P % H, place_P, of_h_ZH, inputs, H, S // H, Z)


def _refuse_without_units(cell: Cell, step: Trajectory) -> None:
    """Raise ValueError for a cell whose steps themselves say that they have no units."""
    try:
        step.within()
    except ValueError as error:
        raise _no_units(cell) from error


def _no_units(cell: Cell) -> ValueError:
    """Return what is to be raised for a cell whose parameters do not belong to units."""
    return ValueError(
        f"{type(cell).__name__} has parameters that do not belong to one unit each by one "
        "affine map of [x, h, 1]: use an algorithm that needs no units, such as rtrl or uoro"
    )


def _distinct(step: Trajectory, row_P: Tensor, place_P: Tensor) -> bool:
    """Tell whether each parameter has a row of z, and no two the same place."""
    if int(row_P.min()) < 0 or int(row_P.max()) >= step.pre_activations:
        return False
    number_P = torch.arange(step.parameters, device=place_P.device)
    taken_N = number_P.new_zeros(int(place_P.max()) + 1)
    taken_N[place_P] = number_P
    return bool((taken_N[place_P] == number_P).all())


def _apart(step: Trajectory, S: int, H: int, like: Tensor) -> bool:
    """Tell whether unit i of s' depends on unit i of z alone."""
    u_SZ = step.immediate(torch.eye(S).to(like).expand(1, 1, S, S))[0, 0]
    unit_S, unit_Z = torch.arange(S) % H, torch.arange(u_SZ.shape[-1]) % H
    return not bool(u_SZ[(unit_S[:, None] != unit_Z).to(u_SZ.device)].any())
