"""Traces: the influence of every parameter on its own unit alone, one number a state block.

    m_t = j_t m_{t-1} + d_t        j: (K × K) for each unit        dL_t/dw = c_t m_t

m is (K × P) instead of (S × P), since each parameter belongs to one unit. The recurrence does not
mix units, so the sums over a run's steps are taken backwards, unit by unit, and parameters enter
only at the end, in one product:

    v_t = c_t + v_{t+1} j_{t+1}      dL/dw = Σ (v_t C_t) ⊗ a_t + v_start m_0
    Ψ_t = Ψ_{t+1} j_{t+1}            m_T   = Σ (Ψ_t C_t) ⊗ a_t + Ψ_start m_0
"""

import abc
from typing import NamedTuple

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._resets import forget, stretches
from lightning_modules.algorithms._units import Units, units_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run, Trajectory

TOGETHER = 128
"""At most so many steps are summed backwards at once."""


class Traces(NamedTuple):
    """The memory of a stream."""

    units: Units
    m_BKP: Tensor


class TraceAlgorithm(Algorithm):
    """An algorithm of traces; subclasses say how these are carried and what credit they meet."""

    claim = Claim.ALIGNED

    @abc.abstractmethod
    def carried(self, path: Trajectory) -> Tensor:
        """Return j, what carries each unit's traces over each step, (T, B, K, K, H)."""

    def met(self, cell: Cell, c_TBS: Tensor) -> Tensor:
        """Return the credit that multiplies the traces, (T, B, S); by default all of it."""
        return c_TBS

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Traces | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Carry each unit's traces; ValueError for a cell without units."""
        path = cell.follow(x_TBI, s_BS, resets_TB)
        c_TBS = self.met(cell, credits_of(credit, path.states_TBS))
        memory = memory or start_traces(cell, path, s_BS)
        own_TBKKH = self.carried(path)
        total_P, memory = follow_traces(path, c_TBS, own_TBKKH, memory)
        return Run(total_P, path.states_TBS[-1].clone(), memory, path)


def follow_traces(
    path: Trajectory, c_TBS: Tensor, own_TBKKH: Tensor, memory: Traces
) -> tuple[Tensor, Traces]:
    """Return the steps' gradient, (P,), and the traces after them, carried by ``own_TBKKH``."""
    total_P = None
    for start, stretch in stretches(path):
        forget(stretch, 0, memory.m_BKP)
        for first in range(0, len(stretch), TOGETHER):
            last = min(len(stretch), first + TOGETHER)
            part = stretch if last - first == len(stretch) else stretch.part(first, last)
            here, go = slice(start + first, start + last), _back if last - first > 1 else _step
            share_P, memory = go(part, c_TBS[here], own_TBKKH[here], memory)
            total_P = share_P if total_P is None else total_P + share_P
    assert total_P is not None
    return total_P, memory


def _back(
    path: Trajectory, c_TBS: Tensor, own_TBKKH: Tensor, memory: Traces
) -> tuple[Tensor, Traces]:
    """Send the credit v, and the K rows Ψ that move the traces on, back through some steps."""
    (T, B, S), units = c_TBS.shape, memory.units
    K = units.state_blocks
    # The first K rows are Ψ, the last is v.
    rows_TBRKH = c_TBS.new_zeros(T + 1, B, K + 1, K, S // K)
    rows_TBRKH[1:, :, K] = c_TBS.unflatten(-1, (K, -1))
    rows_TBRKH[T, :, :K].diagonal(dim1=1, dim2=2).fill_(1)
    rows_T, own_T = rows_TBRKH.unbind(), own_TBKKH.unsqueeze(2).unbind()
    for t in range(T - 1, -1, -1):
        for k in range(K):
            rows_T[t].addcmul_(rows_T[t + 1][:, :, k : k + 1], own_T[t][:, :, k])
    rows_TBRS = rows_TBRKH.flatten(-2)
    u_TBRZ = path.immediate(rows_TBRS[1:])
    # gather: what index_select does here is thirty times as slow.
    start_BRKP = rows_T[0].gather(-1, units.owner_P.expand(B, K + 1, K, -1))
    total_P = path.gradient(u_TBRZ[:, :, K].contiguous())
    total_P += (start_BRKP[:, K] * memory.m_BKP).sum((0, 1))
    m_BKP = (start_BRKP[:, :K] * memory.m_BKP.unsqueeze(1)).sum(2)
    path.accumulate(u_TBRZ[:, :, :K], 0, m_BKP)
    return total_P, Traces(units, m_BKP)


def _step(
    path: Trajectory, c_1BS: Tensor, own_1BKKH: Tensor, memory: Traces
) -> tuple[Tensor, Traces]:
    """Carry the traces over one step as they are written: m <- j m + d, then c m."""
    (_, B, S), (units, m_BKP) = c_1BS.shape, memory
    K, of = units.state_blocks, units.owner_P
    j_BKKP = own_1BKKH[0].gather(-1, of.expand(B, K, K, -1))
    next_BKP = (j_BKKP * m_BKP.unsqueeze(1)).sum(2) if K > 1 else j_BKKP[:, 0] * m_BKP
    ones_BKKH = c_1BS.new_zeros(B, K, K, S // K)
    ones_BKKH.diagonal(dim1=1, dim2=2).fill_(1)
    path.accumulate(path.immediate(ones_BKKH.view(1, B, K, S)), 0, next_BKP)
    c_BKP = c_1BS.view(B, K, -1).gather(-1, of.expand(B, K, -1))
    return (c_BKP * next_BKP).sum((0, 1)), Traces(units, next_BKP)


def start_traces(cell: Cell, path: Trajectory, s_BS: Tensor) -> Traces:
    """Return traces of zero; ValueError for a cell without units."""
    units = units_of(cell, s_BS)
    return Traces(units, s_BS.new_zeros(len(s_BS), units.state_blocks, path.parameters))


def own_jacobians(path: Trajectory) -> Tensor:
    """Return ds'/ds within each unit, (T, B, K, K, H)."""
    own_TBKKH, through_TBKH = path.within()
    own_TBKKH[:, :, :, 0] += through_TBKH
    return own_TBKKH
