"""Real-time recurrent learning, dense and exact.

    M_t = J_t M_{t-1} + D_t        dL_t/dw = c_t M_t

M = ds/dw is the influence of every parameter on every state unit. O(n⁴) a step and O(n³) memory,
constant in time: the gradient is at hand at every step of a stream without end.

One matrix product computes both: the row c_t J_t is put below J_t, so M is read once a step, and
D_t, which is nonzero only on a diagonal, is added in place.

References:
    Williams & Zipser (1989), A learning algorithm for continually running fully recurrent neural
        networks, Neural Computation 1(2).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._panels import panels
from lightning_modules.algorithms._resets import forget
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run

Memory = tuple[Tensor, Tensor]
"""M with a row below it for the gradient, (B, S + 1, P), and a buffer for the next one."""


@final
class RTRL(Algorithm):
    """The exact gradient, forwards."""

    claim = Claim.EXACT

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Memory | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Carry M from step to step, reading each step's gradient on the way."""
        path, (B, S) = cell.follow(x_TBI, s_BS, resets_TB), s_BS.shape
        c_TBS = credits_of(credit, path.states_TBS)
        u_TBZ = path.immediate(c_TBS.unsqueeze(2)).squeeze(2)
        if memory is None:
            m_BRP = s_BS.new_zeros(B, S + 1, path.parameters)
            memory = m_BRP, torch.empty_like(m_BRP)
        (m_BRP, next_BRP), total_P = memory, path.gradient(u_TBZ)
        rows_BRS, j_TBSS = s_BS.new_empty(B, S + 1, S), s_BS.new_empty(1, B, S, S)
        for t, c_B1S in enumerate(c_TBS.unsqueeze(2).unbind()):
            forget(path, t, m_BRP)
            path.jacobians(t, j_TBSS)
            torch.cat([j_TBSS[0], c_B1S @ j_TBSS[0]], dim=1, out=rows_BRS)
            if B == 1:
                for m_SP, next_RP in panels(m_BRP[0, :S], next_BRP[0]):
                    torch.mm(rows_BRS[0], m_SP, out=next_RP)
            else:
                torch.bmm(rows_BRS, m_BRP[:, :S], out=next_BRP)
            path.inject(t, next_BRP[:, :S])
            total_P += next_BRP[:, S].sum(0)
            m_BRP, next_BRP = next_BRP, m_BRP
        return Run(total_P, path.states_TBS[-1].clone(), (m_BRP, next_BRP), path)
