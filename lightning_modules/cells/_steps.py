"""What a trajectory stores of its steps."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from lightning_modules.cells._factored import Factors


class Steps(NamedTuple):
    """What is kept of every step; time is the first axis."""

    x_TBI: Tensor
    h_TBH: Tensor
    """h before the step, after resets."""
    C_TBKGH: Tensor
    E_TBKJH: Tensor
    reset_TB1: Tensor | None
    """True for a sample that was reset before the step; None if none was."""

    def part(self, first: int, last: int) -> "Steps":
        """Return some of the steps."""
        reset_TB1 = self.reset_TB1
        return Steps(
            self.x_TBI[first:last],
            self.h_TBH[first:last],
            self.C_TBKGH[first:last],
            self.E_TBKJH[first:last],
            None if reset_TB1 is None else reset_TB1[first:last],
        )

    def write(self, first: int, new: "Steps") -> "Steps":
        """Write steps from ``first`` on, in place where possible."""
        last = first + len(new.x_TBI)
        self.x_TBI[first:last] = new.x_TBI
        self.h_TBH[first:last] = new.h_TBH
        self.C_TBKGH[first:last] = new.C_TBKGH
        if new.E_TBKJH.numel():
            self.E_TBKJH[first:last] = new.E_TBKJH
        if self.reset_TB1 is None and new.reset_TB1 is None:
            return self
        reset_TB1 = self.reset_TB1
        if reset_TB1 is None:
            reset_TB1 = self.x_TBI.new_zeros(*self.x_TBI.shape[:2], 1, dtype=torch.bool)
        reset_TB1[first:last] = False if new.reset_TB1 is None else new.reset_TB1
        return self._replace(reset_TB1=reset_TB1)

    def without(self, gone_TB: Tensor) -> "Steps":
        """Return a copy in which the steps that are gone hold zeros."""
        kept = (
            field.masked_fill(gone_TB.view(*gone_TB.shape, *[1] * (field.dim() - 2)), 0)
            for field in self[:4]
        )
        reset_TB1 = self.reset_TB1  # the caller's own, where no step was written behind these
        return Steps(*kept, reset_TB1=None if reset_TB1 is None else reset_TB1.clone())

    def grown(self, room: int) -> "Steps":
        """Return storage for ``room`` steps that begins with these."""
        bigger = (field.new_empty(room, *field.shape[1:]) for field in self[:4])
        return Steps(*bigger, reset_TB1=None).write(0, self)


class Behaviour(Protocol):
    """What a cell computes of steps from z, as ``advance`` left it, and the states around them."""

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and E."""
        ...

    def factors(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> Factors | None:
        """Return a shorter form of them, or None."""
        ...

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates."""
        ...


class Fresh(NamedTuple):
    """Steps whose derivatives are not computed before someone asks for them."""

    x_TBI: Tensor
    h_TBH: Tensor
    reset_TB1: Tensor | None
    cell: Behaviour
    around: tuple[Tensor, Tensor, Tensor]
    """z, (T, B, Z), the states before the steps (after resets) and those after them, (T, B, S)."""

    def steps(self) -> Steps:
        """Return them with their derivatives."""
        return Steps(self.x_TBI, self.h_TBH, *self.cell.derivatives(*self.around), self.reset_TB1)
