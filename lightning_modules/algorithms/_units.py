"""Which unit owns which parameter, found by asking the cell's own trajectory.

Every parameter multiplies one entry of [x, h, 1] into one row of z, so a step whose [x, h, 1] is
known tells both: credits of 0, 1, 2 … on z over ones come back as the rows, and credits of one
over 2, 3, 4 … as the columns.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lightning_modules.interfaces import Cell, Trajectory

_ROOM = 2**18
"""Entries of dense Jacobians that are held at once."""


class Units(NamedTuple):
    """A cell's parameters by row of z, by column of [x, h, 1], and by unit, which is row % H."""

    row_P: Tensor
    column_P: Tensor
    owner_P: Tensor
    place_P: Tensor
    """Where each parameter stands in a flattened (Z, I + H + 1)."""
    inputs: int
    hidden: int
    state_blocks: int
    pre_activations: int

    def recurrent(self, cell: Cell) -> Tensor:
        """Return the present weights from h to z, (Z, H)."""
        w_P = torch.cat([w.detach().flatten() for w in cell.parameters()])
        W_ZH = w_P.new_zeros(self.pre_activations, self.hidden)
        of_h_P = self.column_P - self.inputs
        (chosen,) = ((of_h_P >= 0) & (of_h_P < self.hidden)).nonzero(as_tuple=True)
        W_ZH[self.row_P[chosen], of_h_P[chosen]] = w_P[chosen]
        return W_ZH

    def own(self, path: Trajectory, batch: int, like: Tensor) -> Tensor:
        """Return each unit's own block of ds'/ds at every step, (T, B, K, K, H)."""
        T, (K, H) = len(path), (self.state_blocks, self.hidden)
        own_TBKKH, S = like.new_empty(T, batch, K, K, H), K * H
        together = min(T, max(1, _ROOM // (batch * S * S)))
        j_TBSS = like.new_empty(together, batch, S, S)
        for first in range(0, T, together):
            these_TBSS = j_TBSS[: min(together, T - first)]
            path.jacobians(first, these_TBSS)
            blocks = these_TBSS.unflatten(3, (K, H)).unflatten(2, (K, H))
            own_TBKKH[first : first + together] = blocks.diagonal(dim1=3, dim2=5)
        return own_TBKKH


def units_of(cell: Cell, like: Tensor) -> Units:
    """Return the cell's units; ValueError if its parameters do not belong to units."""
    inputs, H, S = cell.input_size, cell.hidden_size, cell.state_size
    count, columns = torch.arange(2, inputs + S + 2).to(like), inputs + H + 1
    step = cell.follow(count[:inputs].view(1, 1, -1), count[inputs:].view(1, -1))
    Z = step.pre_activations
    # A constant's column comes back as 1, which is put last.
    column_P = (step.gradient(like.new_ones(1, 1, Z)).round().long() - 2) % columns
    step = cell.follow(like.new_ones(1, 1, inputs), like.new_ones(1, S))
    row_P = step.gradient(torch.arange(Z).to(like).view(1, 1, Z)).round().long()
    place_P = row_P * columns + column_P
    if S % H or Z % H or not _distinct(step, row_P, place_P) or not _apart(step, S, H, like):
        raise ValueError(
            f"{type(cell).__name__} has parameters that do not belong to one unit each by one "
            "affine map of [x, h, 1]: use an algorithm that needs no units, such as rtrl or uoro"
        )
    return Units(row_P, column_P, row_P % H, place_P, inputs, H, S // H, Z)


def _distinct(step: Trajectory, row_P: Tensor, place_P: Tensor) -> bool:
    """Tell whether each parameter has a row of z, and no two a place."""
    known = int(row_P.min()) >= 0 and int(row_P.max()) < step.pre_activations
    return known and len(place_P.unique()) == step.parameters


def _apart(step: Trajectory, S: int, H: int, like: Tensor) -> bool:
    """Tell whether unit i of s' depends on unit i of z alone."""
    u_SZ = step.immediate(torch.eye(S).to(like).expand(1, 1, S, S))[0, 0]
    unit_S, unit_Z = torch.arange(S) % H, torch.arange(u_SZ.shape[-1]) % H
    return not bool(u_SZ[(unit_S[:, None] != unit_Z).to(u_SZ.device)].any())
