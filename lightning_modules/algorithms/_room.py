"""Scratch of blocked RTRL: rows at the slots between steps, and matrices that multiply them."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

SPAN = 8
"""Steps that a row is sent back through at once, by the products of their Jacobians."""


class Slots(NamedTuple):
    """Rows at several slots, time first, and views of them in the shapes that products take.

    For a batch of one the views lack the batch axis, since ``mm`` is faster than ``bmm``.
    """

    all_TBRS: Tensor
    first_TBS: Tensor
    """The first row at each slot."""
    each_T: list[Tensor]
    spans: list[Tensor]
    """``SPAN`` slots side by side, (R, SPAN · S)."""


class Room:
    """Scratch by name, made once, so that a long stream allocates nothing."""

    def __init__(self):
        self.found: dict[str, Any] = {}

    def steps(self, name: str, like: Tensor, *shape: int) -> tuple[list[Tensor], Tensor]:
        """Return views of each step of the scratch of that name, and the whole, time first."""
        found = self.found.get(name)
        if found is None or found[1].shape != shape:
            new = like.new_empty(shape)
            each_T = list((new[:, 0] if shape[1] == 1 else new).unbind())
            found = self.found[name] = each_T, new
        return found

    def slots(self, name: str, like: Tensor, *shape: int) -> Slots:
        """Return the rows of that name, (slots, B, R, S).

        Several rows are stored as (B, R, slots, S), for sums over time; a single row slots first.
        """
        found = self.found.get(name)
        if found is None or found.all_TBRS.shape != shape:
            T, B, R, S = shape
            if R == 1:
                new_BRTS = like.new_empty(T, B, R, S).permute(1, 2, 0, 3)
            else:
                new_BRTS = like.new_empty(B, R, T, S)
            rows = new_BRTS[0] if B == 1 else new_BRTS
            spans = [rows[..., t : t + SPAN, :] for t in range(0, T - SPAN + 1, SPAN)]
            if B == 1 or R > 1:
                spans = [span.flatten(-2) for span in spans]
            all_TBRS = new_BRTS.permute(2, 0, 1, 3)
            found = Slots(all_TBRS, all_TBRS[:, :, 0], list(rows.unbind(-2)), spans)
            self.found[name] = found
        return found

    def clear(self, gone_B: Tensor) -> None:
        """Set to zero what is held of some samples."""
        for found in self.found.values():
            held = found.all_TBRS if isinstance(found, Slots) else found[1]
            held.masked_fill_(gone_B.view(1, -1, 1, 1), 0)


def product(rows: Tensor, J: Tensor, into: Tensor) -> None:
    """Write the product of rows and J, for each sample where there are several."""
    if rows.dim() == 2:
        torch.mm(rows, J, out=into)
    elif into.dim() == 3:
        torch.bmm(rows, J, out=into)
    else:  # a span of one row each, which lies time first
        into.copy_(torch.bmm(rows, J).view(into.shape))
