"""Relative distances of gradients from those of automatic differentiation, in float64."""

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks._timing import Constant
from lightning_modules.interfaces import Algorithm, Cell
from lightning_modules.norms import norm


def autograd(cell: Cell, x_TBI: Tensor, c_BS: Tensor) -> list[Tensor]:
    """Return the gradient of Σ c s over all steps, flattened, for each block of parameters."""
    s_BS, total = torch.zeros_like(c_BS), c_BS.new_zeros(())
    for x_BI in x_TBI:
        s_BS = cell(x_BI, s_BS)
        total = total + (c_BS * s_BS).sum()
    return [g.flatten() for g in torch.autograd.grad(total, list(cell.parameters()))]


def summed(rule: Algorithm, length: int, cell: Cell, x_TBI: Tensor, c_BS: Tensor) -> Tensor:
    """Return the sum of the gradients of runs of ``length`` steps, (P,)."""
    state_BS, memory, total_P = torch.zeros_like(c_BS), None, c_BS.new_zeros(())
    for part_TBI in x_TBI.split(length):
        run = rule.run(cell, part_TBI, state_BS, Constant(c_BS), memory)
        state_BS, memory, total_P = run.state_BS, run.memory, total_P + run.gradient_P
    return total_P


def distance(g_P: Tensor, exact: Sequence[Tensor]) -> float:
    """Return the largest relative error over blocks of parameters."""
    blocks = [block.flatten() for block in exact]
    parts = g_P.split([len(block) for block in blocks])
    return max(float(norm(g - e) / norm(e)) for g, e in zip(parts, blocks, strict=True))
