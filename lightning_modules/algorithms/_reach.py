"""What of the past can still be seen: bounds on the influence along a block.

    |M_t|  is at most  |P| |M_{t-8}| + Σ_s |P_s| |C_s ⊗ a_s|

P_s leads from after step s to slot t, P over the whole span; norms are Frobenius's, but for |P|,
which is (Σ σ⁸)^⅛ of its singular values σ. A row v that has arrived at slot t has v M_t yet to
meet, so where |v| |M_t| is less than an eighth of a rounding of what the row met before, it has
met everything: a network that forgets is exact at the price of what it remembers.
"""

import torch
from torch import Tensor
from torch.linalg import vector_norm

from lightning_modules.algorithms._room import SPAN, Slots
from lightning_modules.interfaces import Trajectory

LARGE = 2**18
"""Entries of the influence from which on it costs more to read it than to ask."""


class Reach:
    """Bounds at a block's start and after each of its spans.

    Where a cell has no units, the influence of one step is not bounded so, and its start's alone
    is.

    Attributes:
        size_B: the last bound, of each sample.
    """

    def __init__(self, record: Trajectory, like_BS: Tensor, m_BSP: Tensor | None):
        """Measure the influence at the start; None is zero."""
        self._rows_KS = _blocks(record, like_BS)
        self.size_B = like_BS.new_zeros(len(like_BS))
        if m_BSP is not None:
            self.size_B = vector_norm(m_BSP, dim=(1, 2))
        self._most = [float(self.size_B.max())]
        self._rounding = torch.finfo(like_BS.dtype).eps / 8 / len(like_BS) ** 0.5

    def extend(self, record: Trajectory, first: int, products: Slots) -> None:
        """Bound the influence after the span of steps from ``first`` on."""
        if self._rows_KS is None:
            return
        own_TB = self._own(record, first, SPAN)
        # Rows lie before time, so they are summed over first: it is several times as fast.
        square_TBS = products.all_TBRS.square().sum(2)
        through_TB = square_TBS.sum(2).sqrt_()
        through_TB[0] *= _largest_share(products.all_TBRS[0], through_TB[0])
        self.size_B = through_TB[0] * self.size_B + own_TB[-1]
        self.size_B += (through_TB[1:] * own_TB[:-1]).sum(0)
        self._most.append(float(self.size_B.max()))

    def least(self, u_TBRZ: Tensor) -> float:
        """Return what is a rounding beside credits on z, which are the biases' own gradient."""
        return self._rounding * vector_norm(u_TBRZ).item()

    def least_influence(self, record: Trajectory, t: int) -> float:
        """Return what is a rounding beside the influence of step t, of whichever sample."""
        if self._rows_KS is None:
            return 0.0
        return self._rounding * float(self._own(record, t, 1).min())

    def ends(self, rows: Tensor, t: int, least: float) -> bool:
        """Tell whether rows that arrived at slot t have at most ``least`` left to meet.

        That none is there where a stream begins spares nobody anything.
        """
        span, within = divmod(t, SPAN)
        if within or span >= len(self._most) or not (t or self._most[0]):
            return False
        return vector_norm(rows).item() * self._most[span] <= least

    def _own(self, record: Trajectory, first: int, steps: int) -> Tensor:
        """Return the size of the immediate influence of some steps, (T, B).

        Rows of blocks meet each parameter in its own unit alone, so what they meet is all there
        is. Those of different steps are kept apart, each being zero at the others.
        """
        assert self._rows_KS is not None
        B, (K, S), Z = len(self.size_B), self._rows_KS.shape, record.pre_activations
        u_TBKZ = record.immediate(self._rows_KS.expand(steps, B, K, S), first)
        apart = u_TBKZ.new_zeros(steps, B, steps, K, Z)
        apart.diagonal(dim1=0, dim2=2).copy_(u_TBKZ.permute(1, 2, 3, 0))
        m_BRP = u_TBKZ.new_zeros(B, steps * K, record.parameters)
        record.accumulate(apart.flatten(2, 3), first, m_BRP)
        return vector_norm(m_BRP.view(B, steps, -1), dim=2).t()


def _blocks(record: Trajectory, like_BS: Tensor) -> Tensor | None:
    """Return a row of ones over each block of the state; None for a cell without units."""
    try:
        K, H = record.part(0, 1).within()[1].shape[2:]
    except ValueError:
        return None
    return torch.eye(K).to(like_BS).repeat_interleave(H, dim=1)


def _largest_share(P_BSS: Tensor, size_B: Tensor) -> Tensor:
    """Return the eighth root of the sum of the singular values' eighth powers, over their size."""
    one_BSS = P_BSS / size_B.clamp_min(torch.finfo(size_B.dtype).tiny)[:, None, None]
    square_BSS = one_BSS @ one_BSS.mT
    return vector_norm(square_BSS @ square_BSS, dim=(1, 2)).pow(0.25)
