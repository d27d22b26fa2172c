"""How far back credit has to go: bounds on the influence M along a block.

    |M_t|  is at most  |P| |M_{t-8}| + Σ_s |P_s| |C_s ⊗ a_s|

for M as a whole and for its columns of each parameter tensor (U, W, b, of each layer). P_s is the
product of Jacobians from after step s to slot t, P the one over the whole span; norms are Frobenius
norms, except |P|, which is (Σ σ⁸)^⅛ of its singular values σ. A row v at slot t can still add v M_t
to the gradient. Where, for every tensor, |v| |M_t| is less than eps / 8 times what v has added so
far, the rest would be lost in rounding and v stops there: a network that forgets has its exact
gradient at the cost of the steps that it remembers.

While a tensor has no gradient yet, such as U where x was zero for long, v does not stop. Nothing
finer than tensors is judged: a column of U whose x is zero at nearly all steps is exact relative to
U, not to itself. All sizes are logarithms, so that they neither overflow nor underflow.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.linalg import vector_norm

from lightning_modules.algorithms._lifts import band, joint, log_norm
from lightning_modules.algorithms._panels import WIDTH
from lightning_modules.algorithms._room import SPAN
from lightning_modules.interfaces import Trajectory
from lightning_modules.norms import norm

LARGE = 2**18
"""From this many entries on, reading the influence costs more than computing bounds."""


class Reach:
    """Bounds at a block's start and after each of its spans.

    For a cell without units the influence of a single step has no such bound, so there is a bound
    at the block's start alone.

    Attributes:
        bounds: the logarithms, (1 + N, B), of M whole and of its columns of each of N tensors.
    """

    def __init__(
        self, record: Trajectory, like_BS: Tensor, m_BSP: Tensor | None, sizes: Sequence[int]
    ):
        """Measure the influence at the start; None is zero. ``sizes`` are the tensors'."""
        self._rows_KS, self._sizes, B = _blocks(record, like_BS), list(sizes), len(like_BS)
        of_NB = torch.full((len(sizes), B), -math.inf, dtype=torch.float64)
        if m_BSP is not None:
            of_NB = joint(self._logs(m_BSP), -1)
        self.bounds = [_with_whole(of_NB)]
        self._most = [self.bounds[0].amax(1).tolist()]
        self._eighth = math.log(torch.finfo(like_BS.dtype).eps / 8)
        self._of_any = self._eighth - math.log(B) / 2

    def extend(self, record: Trajectory, first: int, products_TBRS: Tensor, log_TB: Tensor) -> None:
        """Bound the influence after the span from ``first`` on, given its products by e^``log``."""
        if self._rows_KS is None:
            return
        own_NTB = _with_whole(self._own(record, first, SPAN))
        # Rows lie before time, so they are summed over first: it is several times as fast.
        through_TB = products_TBRS.square().sum(2).sum(2).sqrt_()
        through_TB[0] *= _largest_share(products_TBRS[0], through_TB[0])
        log_TB = through_TB.double().log() + log_TB
        old_N1B, new_N1B = (log_TB[0] + self.bounds[-1]).unsqueeze(1), own_NTB[:, -1:]
        terms = old_N1B, log_TB[1:] + own_NTB[:, :-1], new_N1B
        self.bounds.append(torch.logsumexp(torch.cat(terms, dim=1), dim=1))
        self._most.append(self.bounds[-1].amax(1).tolist())

    def least(self, u_TBRZ: Tensor) -> float:
        """Return the log of what is negligible beside credits on z, the gradient of the biases."""
        return self._of_any + log_norm(u_TBRZ)

    def least_influence(self, record: Trajectory, t: int) -> float:
        """Return the same beside the immediate influence of step t, the least over samples."""
        if self._rows_KS is None:
            return -math.inf
        return self._of_any + joint(self._own(record, t, 1), 0).min().item()

    def may_end(self, size: float, t: int, least: float) -> bool:
        """Tell whether rows of log norm ``size`` at slot t can add at most ``least``.

        This is a quick first test: rows stop only if ``settled`` or ``settled_rows`` holds as well.
        At a stream's start, where M is zero, the answer is no, since stopping would save nothing.
        """
        span, within = divmod(t, SPAN)
        if within or span >= len(self._most) or (t == 0 and self._most[0][0] == -math.inf):
            return False
        return size + self._most[span][0] <= least

    def settled(self, size: float, t: int, g_P: Tensor) -> bool:
        """Tell whether credits at slot t, which gave g so far, add nothing more to any tensor."""
        for most, g in zip(self._most[t // SPAN][1:], g_P.split(self._sizes), strict=True):
            left = size + most
            if left != -math.inf and not left <= self._of_any + log_norm(g) < math.inf:
                return False
        return True

    def settled_rows(self, size_BR: Tensor, t: int, m_BRP: Tensor) -> bool:
        """Tell the same of all rows, which gave m so far."""
        left_NBR = size_BR + self.bounds[t // SPAN][1:].unsqueeze(-1)
        most_NBR = self._eighth + self._logs(m_BRP)
        little = (left_NBR <= most_NBR) & (most_NBR < math.inf)
        return bool((little | (left_NBR == -math.inf)).all())

    def _own(self, record: Trajectory, first: int, steps: int) -> Tensor:
        """Return the log size of the immediate influence of some steps, (N, T, B).

        It is found by rows of ones over a state block: each parameter acts on one unit alone, so
        the sum over units cancels nothing. Each step has rows of its own, zero at other steps.
        """
        assert self._rows_KS is not None
        B, (K, S), Z = self.bounds[0].shape[1], self._rows_KS.shape, record.pre_activations
        u_TBKZ = record.immediate(self._rows_KS.expand(steps, B, K, S), first)
        apart = u_TBKZ.new_zeros(steps, B, steps, K, Z)
        apart.diagonal(dim1=0, dim2=2).copy_(u_TBKZ.permute(1, 2, 3, 0))
        m_BRP = u_TBKZ.new_zeros(B, steps * K, record.parameters)
        record.accumulate(apart.flatten(2, 3), first, m_BRP)
        return joint(self._logs(m_BRP).unflatten(-1, (steps, K)), -1).transpose(1, 2)

    def _logs(self, m_BRP: Tensor) -> Tensor:
        """Return the log norms of each row's columns of each tensor, (N, B, R)."""
        tensors, (low, _, high, *_) = m_BRP.split(self._sizes, dim=-1), band(m_BRP.dtype)
        size_NBR = torch.stack([vector_norm(m, dim=-1) for m in tensors])
        least, most = (bound.item() for bound in torch.aminmax(size_NBR))
        if not (low <= least and most <= high):
            size_NBR = torch.stack([_norm_by_panels(m) for m in tensors])
        return size_NBR.double().log()


def _norm_by_panels(m_BRP: Tensor) -> Tensor:
    """Return the norm of each row at any scale, without a copy of the whole."""
    return norm(torch.stack([norm(m, -1) for m in m_BRP.split(WIDTH, dim=-1)]), 0)


def _with_whole(of_N: Tensor) -> Tensor:
    """Put the joint log norm of all tensors before those of each."""
    return torch.cat([joint(of_N, 0).unsqueeze(0), of_N])


def _blocks(record: Trajectory, like_BS: Tensor) -> Tensor | None:
    """Return a row of ones over each block of the state; None for a cell without units."""
    try:
        K, H = record.part(0, 1).within()[1].shape[2:]
    except ValueError:
        return None
    return torch.eye(K).to(like_BS).repeat_interleave(H, dim=1)


def _largest_share(P_BSS: Tensor, size_B: Tensor) -> Tensor:
    """Return (Σ σ⁸)^⅛ of P's singular values, divided by P's Frobenius norm ``size_B``."""
    one_BSS = P_BSS / size_B.clamp_min(torch.finfo(size_B.dtype).tiny)[:, None, None]
    square_BSS = one_BSS @ one_BSS.mT
    return vector_norm(square_BSS @ square_BSS, dim=(1, 2)).pow(0.25)
