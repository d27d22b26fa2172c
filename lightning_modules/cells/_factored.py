"""A shorter way back through cells whose h' depends on c' and one block of z alone.

    dc' = Σ_g C_g dz_g + E dc        dh' = C_o dz_o + through dc'

The credit that h' passes on to c' is added to that of c' first, so each C_g is used once instead
of once for h' and once for c', and half as much is stored of a step: on long batches the way back
is limited by memory bandwidth.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Factors(NamedTuple):
    """Derivatives C by every block of z: of h' by block ``output``, of c' by the others.

    ``through`` is dh'/dc', E is dc'/dc.
    """

    C_TBGH: Tensor
    through_TBH: Tensor
    E_TBH: Tensor
    output: int


def dense(factors: Factors) -> tuple[Tensor, Tensor]:
    """Return C, (T, B, 2, G, H), and E, (T, B, 2, 1, H), of [h', c'] multiplied out."""
    C_TBGH, through_TBH, E_TBH, o = factors
    C_TBKGH = C_TBGH.new_empty(*C_TBGH.shape[:-2], 2, *C_TBGH.shape[-2:])
    torch.mul(through_TBH.unsqueeze(-2), C_TBGH, out=C_TBKGH[..., 0, :, :])
    C_TBKGH[..., 0, o, :] = C_TBGH[..., o, :]
    C_TBKGH[..., 1, :, :] = C_TBGH
    C_TBKGH[..., 1, o, :] = 0
    return C_TBKGH, torch.stack([through_TBH * E_TBH, E_TBH], dim=-2).unsqueeze(-2)


def sweep_factored(
    factors: Factors, W_ZH: Tensor, reset_TB1: Tensor | None, u_TBZ: Tensor, v_TBS: Tensor
) -> None:
    """Back-propagate: write the credit on every z, and add what comes back to every state's."""
    (T, _, G, H), o = factors.C_TBGH.shape, factors.output
    u_TBGH = u_TBZ.unflatten(-1, (G, H))
    u_T, u_o_T, u_NZ_T = u_TBGH.unbind(), u_TBGH[:, :, o].unbind(), u_TBZ.unbind()
    C_T, C_o_T = factors.C_TBGH.unbind(), factors.C_TBGH[:, :, o].unbind()
    through_T, E_T = factors.through_TBH.unbind(), factors.E_TBH.unbind()
    v_h_T, v_c_T = (of.unbind() for of in v_TBS.split(H, dim=-1))
    v_c = torch.empty_like(through_T[0])
    v_c_B1H = v_c.unsqueeze(1)
    for t in range(T - 1, -1, -1):
        torch.addcmul(v_c_T[t + 1], v_h_T[t + 1], through_T[t], out=v_c)
        torch.mul(v_c_B1H, C_T[t], out=u_T[t])
        torch.mul(v_h_T[t + 1], C_o_T[t], out=u_o_T[t])
        if reset_TB1 is None:
            v_h_T[t].addmm_(u_NZ_T[t], W_ZH)
        else:
            v_h_T[t].add_((u_NZ_T[t] @ W_ZH).masked_fill_(reset_TB1[t], 0))
            v_c.masked_fill_(reset_TB1[t], 0)
        v_c_T[t].addcmul_(v_c, E_T[t])
