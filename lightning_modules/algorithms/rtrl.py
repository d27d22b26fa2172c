"""Real-time recurrent learning, dense and exact.

    M_t = J_t M_{t-1} + D_t        dL_t/dw = c_t M_t

M = ds/dw is the influence of every parameter on every state unit. O(n⁴) a step and O(n³) memory,
constant in time: the gradient is at hand at every step of a stream without end.

One product makes both: the row c_t J_t rides below J_t, so M is read once a step, and D_t, which
is nonzero on a diagonal alone, is added in place.

References:
    Williams & Zipser (1989), A learning algorithm for continually running fully recurrent neural
        networks, Neural Computation 1(2).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms._online import OnlineAlgorithm
from lightning_modules.interfaces import Claim, Trajectory

Memory = tuple[Tensor, Tensor]
"""M with a row below it for the gradient, (B, S + 1, P), and the room for the next one."""


@final
class RTRL(OnlineAlgorithm):
    """The exact gradient, forwards."""

    claim = Claim.EXACT

    def start(self, path: Trajectory, s_BS: Tensor, parameters: int) -> Memory:
        """Nothing has had any influence yet."""
        m_BRP = s_BS.new_zeros(s_BS.shape[0], s_BS.shape[1] + 1, parameters)
        return m_BRP, torch.empty_like(m_BRP)

    def advance(
        self, memory: Memory, path: Trajectory, t: int, c_BS: Tensor
    ) -> tuple[Memory, Tensor]:
        """Carry M over the step and read the gradient."""
        (m_BRP, next_BRP), (B, S) = memory, c_BS.shape
        rows_BRS = torch.cat([torch.eye(S).to(c_BS).expand(B, S, S), c_BS.unsqueeze(1)], dim=1)
        u_BRZ, j_BRS = path.pull(t, rows_BRS)
        if B == 1:
            torch.mm(j_BRS[0], m_BRP[0, :S], out=next_BRP[0])
        else:
            torch.bmm(j_BRS, m_BRP[:, :S], out=next_BRP)
        path.inject(t, next_BRP[:, :S])
        now_P = path.part(t, t + 1).gradient(u_BRZ[None, :, S])
        return (next_BRP, m_BRP), next_BRP[:, S].sum(0) + now_P
