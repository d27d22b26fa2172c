"""Kronecker-factored RTRL: the influence matrix as one random Kronecker product.

    M ≈ u ⊗ A        u <- p1 u + ν p2 [x, h, 1]        A <- J A / p1 + ν C / p2        ν: ±1
    dL_t/dw = c_t D_t + (c_t J_t A) ⊗ u                u, A: before the step

Each parameter multiplies one entry of [x, h, 1] into one row of z, so D = C ⊗ [x, h, 1] exactly,
C = ds'/dz. u has I + H + 1 entries, as [x, h, 1] has, and A is (S × Z). p1 = sqrt(|J A| / |u|) and
p2 = sqrt(|C| / |[x, h, 1]|) keep the variance low and cancel in u ⊗ A, whose cross terms are odd in
ν and so zero on average (the paper draws two signs; only their product matters). Hence unbiased.

It applies to cells whose parameters all enter through that one affine map. Places without a
parameter, such as where U x does not enter a row of z, are left out when the gradient is read.
Cells with other parameters are refused. O(S² Z) a step, O(S Z) memory, for each sample.

References:
    Mujika, Meier & Steger (2018), Approximating real-time recurrent learning with random
        Kronecker factors, NeurIPS, arXiv:1805.10842.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._noise import Signs, balance
from lightning_modules.algorithms._resets import forget
from lightning_modules.algorithms._units import Units, units_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run, Trajectory
from lightning_modules.norms import norm


class _Factors(NamedTuple):
    u_BA: Tensor
    A_BSZ: Tensor
    signs: Signs
    units: Units


@final
class KFRTRL(Algorithm):
    """The Kronecker-factored unbiased estimate."""

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
        """Carry both factors; signs come from torch's seed. ValueError for another cell."""
        path, (B, S) = cell.follow(x_TBI, s_BS, resets_TB), s_BS.shape
        a_TBA = _entries(x_TBI, s_BS, path, cell.hidden_size)
        if memory is None:
            A_BSZ = s_BS.new_zeros(B, S, path.pre_activations)
            signs, units = Signs(s_BS.device), units_of(cell, s_BS)
            memory = _Factors(torch.zeros_like(a_TBA[0]), A_BSZ, signs, units)
        of_z_TBZ, v_TBS = path.pull(credits_of(credit, path.states_TBS))
        total_P, place_P = path.gradient(of_z_TBZ), memory.units.place_P
        total_ZA = s_BS.new_zeros(path.pre_activations, a_TBA.shape[-1])
        rows_TBSS, j_TBSS = torch.eye(S).to(s_BS).expand(1, B, S, S), s_BS.new_empty(1, B, S, S)
        for t, a_BA in enumerate(a_TBA.unbind()):
            forget(path, t, memory.u_BA, memory.A_BSZ)
            total_ZA.addmm_((v_TBS[t].unsqueeze(1) @ memory.A_BSZ).squeeze(1).t(), memory.u_BA)
            path.jacobians(t, j_TBSS)
            C_BSZ = path.immediate(rows_TBSS, t)[0]
            memory = _advance(a_BA, C_BSZ, j_TBSS[0] @ memory.A_BSZ, memory)
        return Run(total_P + total_ZA.flatten()[place_P], path.states_TBS[-1].clone(), memory, path)


def _entries(x_TBI: Tensor, s_BS: Tensor, path: Trajectory, H: int) -> Tensor:
    """Return [x, h, 1] of every step, (T, B, A); h is the one before the step, after resets."""
    h_TBH = torch.cat([s_BS[None], path.states_TBS[:-1]])[..., :H]
    if path.resets_TB is not None:
        h_TBH = h_TBH.masked_fill(path.resets_TB.unsqueeze(-1), 0)
    return torch.cat([x_TBI, h_TBH, torch.ones_like(h_TBH[..., :1])], dim=-1)


def _advance(a_BA: Tensor, C_BSZ: Tensor, carried_BSZ: Tensor, memory: _Factors) -> _Factors:
    """Mix the carried factors with the step's, under one fresh sign a sample."""
    u_BA = memory.u_BA
    p1_B1, of_carried_B1 = balance(_norm(carried_BSZ), _norm(u_BA))
    p2_B1, of_C_B1 = balance(_norm(C_BSZ), _norm(a_BA))
    sign_B1 = memory.signs.draw(p1_B1)
    next_BSZ = of_carried_B1[..., None] * carried_BSZ + (sign_B1 * of_C_B1)[..., None] * C_BSZ
    return memory._replace(u_BA=p1_B1 * u_BA + sign_B1 * p2_B1 * a_BA, A_BSZ=next_BSZ)


def _norm(v: Tensor) -> Tensor:
    """Return each sample's norm, (B, 1)."""
    return norm(v.flatten(1), -1, keepdim=True)
