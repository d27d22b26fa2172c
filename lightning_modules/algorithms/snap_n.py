"""Sparse n-step approximation: the influence of each parameter on what it reaches in n steps.

    M_t = mask * (J_t M_{t-1} + D_t)        dL_t/dw = c_t M_t
    mask = 1 where a parameter's unit is at most n - 1 recurrent weights away

The mask is the pattern of n steps of the recursion, unit by unit; the nonzero weights from h to z
decide which unit reaches which. With n = 1 this is SnAp-1; once each unit reaches over n - 1
weights all that it ever reaches, it is RTRL: n = 2 where all units are connected. In between, what
goes beyond n steps is dropped: aligned. M is stored densely, so a step costs what it does in dense
RTRL, O(S² P), whatever the pattern. Cells without units are refused.

References:
    Menick, Elsen, Evci, Osindero, Simonyan & Graves (2021), A practical sparse approximation for
        real time recurrent learning, ICLR, arXiv:2006.07232: n = 1, 2, 3.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._resets import forget
from lightning_modules.algorithms._units import Units, units_of
from lightning_modules.checks import whole
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


class _Influence(NamedTuple):
    units: Units
    m_BSP: Tensor


@final
class SnApN(Algorithm):
    """The influence that stays within the pattern of ``steps`` steps."""

    claim = Claim.ALIGNED

    def __init__(self, steps: int = 2):
        """Keep the pattern of ``steps`` steps; 1 keeps each unit's own."""
        whole(1, steps=steps)
        self.steps = steps

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: _Influence | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Carry M within the pattern of the present weights; ValueError without units."""
        path, (B, S) = cell.follow(x_TBI, s_BS, resets_TB), s_BS.shape
        c_TBS = credits_of(credit, path.states_TBS)
        if memory is None:
            memory = _Influence(units_of(cell, s_BS), s_BS.new_zeros(B, S, path.parameters))
        units, m_BSP = memory
        mask_SP, j_TBSS = self._pattern(units, cell), s_BS.new_empty(1, B, S, S)
        total_P, next_BSP = s_BS.new_zeros(path.parameters), torch.empty_like(m_BSP)
        for t, c_BS in enumerate(c_TBS.unbind()):
            forget(path, t, m_BSP)
            path.jacobians(t, j_TBSS)
            torch.bmm(j_TBSS[0], m_BSP, out=next_BSP)
            next_BSP *= mask_SP
            path.inject(t, next_BSP)
            total_P += c_BS.reshape(-1) @ next_BSP.flatten(0, 1)
            m_BSP, next_BSP = next_BSP, m_BSP
        return Run(total_P, path.states_TBS[-1].clone(), _Influence(units, m_BSP), path)

    def _pattern(self, units: Units, cell: Cell) -> Tensor:
        """Return 1 where a parameter reaches a state entry within the steps, else 0, (S, P)."""
        W_GHH = units.recurrent(cell).unflatten(0, (-1, units.hidden))
        one_HH = torch.eye(units.hidden).to(W_GHH)
        linked_HH = (W_GHH.ne(0).any(0) | one_HH.ne(0)).to(W_GHH)
        reach_HH = one_HH
        for _ in range(min(self.steps, units.hidden + 1) - 1):
            reach_HH = (linked_HH @ reach_HH).ne(0).to(W_GHH)
        return reach_HH[:, units.owner_P].repeat(units.state_blocks, 1)
