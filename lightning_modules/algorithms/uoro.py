"""Unbiased online recurrent optimisation: RTRL's influence matrix as one random outer product.

    M ≈ a ⊗ b        a <- r0 J a + r1 n        b <- b / r0 + (n D) / r1        n: random signs
    dL_t/dw = c_t D_t + (c_t J_t a) b          a, b: before the step

r0 = sqrt(|b| / |J a|) and r1 = sqrt(|n D| / |n|) make the two factors' norms equal, which keeps
the variance low; they cancel in a ⊗ b, whose cross terms are odd in n and so zero on average. Hence
unbiased, for any cell. A step's own share c D is exact, as in the paper, where the loss is
propagated back through one step. O(P + S²) a step for each sample, O(P) memory.

References:
    Tallec & Ollivier (2018), Unbiased online recurrent optimization, ICLR, arXiv:1702.05043.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._noise import Signs, balance
from lightning_modules.algorithms._resets import forget
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run, Trajectory
from lightning_modules.norms import norm


class _Factors(NamedTuple):
    a_BS: Tensor
    b_BP: Tensor
    signs: Signs


@final
class UORO(Algorithm):
    """The rank-one unbiased estimate."""

    claim = Claim.UNBIASED

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: _Factors | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Carry both factors from step to step; signs come from torch's seed at the start."""
        path, (B, S) = cell.follow(x_TBI, s_BS, resets_TB), s_BS.shape
        if memory is None:
            b_BP = s_BS.new_zeros(B, path.parameters)
            memory = _Factors(torch.zeros_like(s_BS), b_BP, Signs(s_BS.device))
        u_TBZ, v_TBS = path.pull(credits_of(credit, path.states_TBS))
        total_P, j_TBSS = path.gradient(u_TBZ), s_BS.new_empty(1, B, S, S)
        for t, v_BS in enumerate(v_TBS.unbind()):
            forget(path, t, memory.a_BS, memory.b_BP)
            weight_B = (v_BS * memory.a_BS).sum(-1)
            total_P += weight_B @ memory.b_BP
            path.jacobians(t, j_TBSS)
            memory = _advance(path, t, j_TBSS[0], memory)
        return Run(total_P, path.states_TBS[-1].clone(), memory, path)


def _advance(path: Trajectory, t: int, J_BSS: Tensor, memory: _Factors) -> _Factors:
    """Mix the carried factors with step t's, under fresh signs."""
    a_BS, b_BP, signs = memory
    n_BS, carried_BS = signs.draw(a_BS), (J_BSS @ a_BS.unsqueeze(-1)).squeeze(-1)
    fresh_BP = torch.zeros_like(b_BP)
    path.accumulate(path.immediate(n_BS[None, :, None], t), t, fresh_BP.unsqueeze(1))
    r0_B1, of_b_B1 = balance(_norm(b_BP), _norm(carried_BS))
    r1_B1, of_fresh_B1 = balance(_norm(fresh_BP), _norm(n_BS))
    next_BP = torch.addcmul(of_b_B1 * b_BP, fresh_BP, of_fresh_B1)
    return _Factors(r0_B1 * carried_BS + r1_B1 * n_BS, next_BP, signs)


def _norm(v_BN: Tensor) -> Tensor:
    """Return each sample's norm, (B, 1)."""
    return norm(v_BN, -1, keepdim=True)
