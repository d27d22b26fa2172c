"""Slow reference gradients by torch.func, sharing no code with the algorithms, and test problems.

Weights may differ from step to step; the gradient is then the derivative by a vector that is added
to the weights of all steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.func import functional_call, grad, jacrev, vjp, vmap

from lightning_modules.interfaces import Cell


@dataclass(frozen=True)
class Problem:
    """A stream with resets in its middle, and a loss ½|s - target|² where the mask is true."""

    cell: Cell
    x_TBI: Tensor
    s_BS: Tensor
    target_TBS: Tensor
    mask_TB: Tensor
    resets_TB: Tensor

    def credit(self, t: int, s_BS: Tensor) -> Tensor:
        """Return the derivative of step t's loss by the state, (B, S)."""
        return self.mask_TB[t, :, None] * (s_BS - self.target_TBS[t])

    def loss(self, t: int, s_BS: Tensor) -> Tensor:
        """Return step t's loss, summed over the batch."""
        return (self.mask_TB[t, :, None] * (s_BS - self.target_TBS[t]).square()).sum() / 2

    def chunk(self, first: int, last: int) -> "Problem":
        """Return the steps from ``first`` to before ``last``; ``s_BS`` is kept as it is."""
        parts = (self.x_TBI, self.target_TBS, self.mask_TB, self.resets_TB)
        x_TBI, target_TBS, mask_TB, resets_TB = (part[first:last] for part in parts)
        return replace(
            self, x_TBI=x_TBI, target_TBS=target_TBS, mask_TB=mask_TB, resets_TB=resets_TB
        )


def problem(cell: Cell, length: int, batch: int, seed: int = 0) -> Problem:
    """Return a random problem in float64, with losses masked by sample and by step."""
    torch.manual_seed(seed)
    shape = (length, batch)
    mask_TB = torch.rand(shape) < 0.7
    mask_TB[5:8] = False
    resets_TB = torch.rand(shape) < 0.5 / length
    resets_TB[length // 3, 0] = resets_TB[length // 2, -1] = True
    return Problem(
        cell.double(),
        torch.randn(*shape, cell.input_size, dtype=torch.float64),
        torch.randn(batch, cell.state_size, dtype=torch.float64),
        torch.randn(*shape, cell.state_size, dtype=torch.float64),
        mask_TB,
        resets_TB,
    )


def flat_weights(cell: Cell) -> Tensor:
    """Return a copy of all parameters as one vector, (P,)."""
    return torch.cat([w.detach().flatten() for w in cell.parameters()])


def step(cell: Cell, w_P: Tensor, x_BI: Tensor, s_BS: Tensor) -> Tensor:
    """Return the next state, (B, S), with the weights ``w_P``."""
    named = dict(cell.named_parameters())
    parts = w_P.split([w.numel() for w in named.values()])
    weights = {k: p.view_as(w) for (k, w), p in zip(named.items(), parts, strict=True)}
    return functional_call(cell, weights, (x_BI, s_BS))


def bptt_reference(p: Problem, weights_TP: Tensor) -> Tensor:
    """Return the gradient of each step's loss, (T, P), by vector-Jacobian products."""

    def losses(shift_P: Tensor) -> Tensor:
        s_BS, each = p.s_BS, []
        for t, x_BI in enumerate(p.x_TBI):
            kept_BS = s_BS * ~p.resets_TB[t, :, None]
            s_BS = step(p.cell, weights_TP[t] + shift_P, x_BI, kept_BS)
            each.append(p.loss(t, s_BS))
        return torch.stack(each)

    pull = vjp(losses, torch.zeros_like(weights_TP[0]))[1]
    return vmap(lambda ones_T: pull(ones_T)[0])(torch.eye(len(p.x_TBI), dtype=torch.float64))


def rtrl_reference(p: Problem, weights_TP: Tensor) -> Tensor:
    """Return the gradient of each step's loss, (T, P), from the influence matrix M' = J M + D."""
    jacobians = vmap(jacrev(sample_step(p.cell), argnums=(0, 2)), (None, 0, 0))
    s_BS, shares = p.s_BS, []
    m_BSP = s_BS.new_zeros(*s_BS.shape, weights_TP.shape[1])
    for t, x_BI in enumerate(p.x_TBI):
        kept_B1 = ~p.resets_TB[t, :, None]
        s_BS, m_BSP = s_BS * kept_B1, m_BSP * kept_B1[..., None]
        d_BSP, j_BSS = jacobians(weights_TP[t], x_BI, s_BS)
        m_BSP = j_BSS @ m_BSP + d_BSP
        s_BS = step(p.cell, weights_TP[t], x_BI, s_BS)
        shares.append(torch.einsum("bs,bsp->p", p.credit(t, s_BS), m_BSP))
    return torch.stack(shares)


def sample_step(cell: Cell):
    """Return the cell's step for one sample as a function (w_P, x_I, s_S) -> s_S."""
    return lambda w_P, x_I, s_S: step(cell, w_P, x_I[None], s_S[None])[0]


def tbptt_reference(
    p: Problem,
    weights_TP: Tensor,
    horizon: int,
    stride: int = 1,
    lengths: Sequence[int] | None = None,
) -> Tensor:
    """Return the gradient of each step's loss, (T, P), truncated to ``horizon`` steps.

    The steps are counted back from the end of the group of ``stride`` steps that the loss is in.
    Groups start anew with every run; ``lengths`` are the runs' lengths, None is one run of all.
    """
    ends, start = [], 0
    for length in lengths or [len(p.x_TBI)]:
        ends += [start + min(length, (t // stride + 1) * stride) - 1 for t in range(length)]
        start += length
    starts, s_BS = [], p.s_BS
    for t, x_BI in enumerate(p.x_TBI):
        starts.append(s_BS)
        s_BS = step(p.cell, weights_TP[t], x_BI, s_BS * ~p.resets_TB[t, :, None])

    def loss(shift_P: Tensor, t: int) -> Tensor:
        first = max(0, ends[t] - horizon + 1)
        s_BS = starts[first]
        for k in range(first, t + 1):
            kept_BS = s_BS * ~p.resets_TB[k, :, None]
            s_BS = step(p.cell, weights_TP[k] + shift_P, p.x_TBI[k], kept_BS)
        return p.loss(t, s_BS)

    zero_P = torch.zeros_like(weights_TP[0])
    return torch.stack([grad(loss)(zero_P, t) for t in range(len(p.x_TBI))])
