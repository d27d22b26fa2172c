"""Sparse n-step approximation with n = 1: the influence of each parameter on its own unit alone.

    m_t = J_own m_{t-1} + D_t        dL_t/dw = c_t m_t

J_own is ds'/ds within one unit, (K × K) for K state blocks, so m keeps the pattern of D, unit by
unit: (K × P) numbers. O(K² P) a step, and O(K Z H) to read J_own off. Exact where units do not
meet, such as a diagonal recurrence. Elsewhere it drops what passes through other units: aligned.
It needs a cell whose parameters belong to one unit each, and refuses others.

References:
    Menick, Elsen, Evci, Osindero, Simonyan & Graves (2021), A practical sparse approximation for
        real time recurrent learning, ICLR, arXiv:2006.07232.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._traces import Traces, follow_traces, own_jacobians, start_traces
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


@final
class SnAp1(Algorithm):
    """The influence that stays within each unit."""

    claim = Claim.ALIGNED

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
        c_TBS = credits_of(credit, path.states_TBS)
        memory = memory or start_traces(cell, path, s_BS)
        own_TBKKH = own_jacobians(cell, path, memory.units, s_BS, resets_TB)
        total_P, memory = follow_traces(path, c_TBS, own_TBKKH, memory)
        return Run(total_P, path.states_TBS[-1].clone(), memory)
