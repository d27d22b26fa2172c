"""Random-feedback local online learning whose traces leak at a rate of their own.

    m_t = leak m_{t-1} + D_t        dL_t/dw = c_t m_t

``rflo`` takes the leak from the cell: 1 - 1/τ for Murray's units, none for an SRN, whose traces
then hold the present step alone. Public projects also use traces that leak on cells that have no
leak, so that a trace remembers what the state does not. The rate has to be chosen:
sonaradarcn/sketched-rtrl takes 0.9, τ = 10, for its forecasts. O(K² P) a step. Aligned: it is as
far from the exact gradient as the leak is from the true Jacobian. Cells without units are refused.

D_t enters with a factor of 1, as in that project (its ``skrtrl/baselines.py``), with whose figures
the study of forecasting compares this rule. omarschall/vanilla-rtrl filters instead, with
α = 1 - leak:

    B_t = (1 - α) B_{t-1} + α D_t

Its gradient is exactly α times this one. Murray's α is the same: his units take in α f(z), so D
contains it already, as it does on ``leaky``. Adam's updates are the same under both, but for its ε;
for plain gradient descent, multiply a step size of vanilla-rtrl by α here.

References:
    Murray (2019), Local online learning in recurrent networks with random feedback, eLife 8.
    sonaradarcn/sketched-rtrl, a public repository: RFLO, τ = 10.
    omarschall/vanilla-rtrl, a public repository: learning_algorithms/RFLO.py.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._traces import Traces, follow_traces, start_traces
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


@final
class FixedRFLO(Algorithm):
    """Traces that leak alike in every unit of every cell."""

    claim = Claim.ALIGNED

    def __init__(self, leak: float = 0.9):
        """Keep ``leak`` of each trace over a step; ValueError if it is not within 0 and 1."""
        if not 0 <= leak <= 1:
            raise ValueError(f"leak is {leak}: it must be from 0 to 1")
        self.leak = leak

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
        (T, B, S), K = c_TBS.shape, memory.units.state_blocks
        own_TBKKH = c_TBS.new_zeros(T, B, K, K, S // K)
        own_TBKKH.diagonal(dim1=2, dim2=3).fill_(self.leak)
        # A trajectory's own E is zero after a reset; this one has to be set so.
        if path.resets_TB is not None:
            own_TBKKH[path.resets_TB] = 0
        total_P, memory = follow_traces(path, c_TBS, own_TBKKH, memory)
        return Run(total_P, path.states_TBS[-1].clone(), memory, path)
