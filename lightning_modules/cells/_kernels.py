"""The products by which credit and influence pass through unit-wise steps."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lightning_modules.cells._layout import Layout
from lightning_modules.cells._steps import Steps


def jacobians(
    lay: Layout,
    C_TBKGH: Tensor,
    E_TBKJH: Tensor,
    weights: Sequence[Tensor],
    into_TBSS: Tensor,
) -> None:
    """Write the Jacobians E + C W of all steps; those that share their W are done at once."""
    (T, B, S, _), K, H = into_TBSS.shape, lay.state_blocks, lay.hidden
    C_GTBKH = C_TBKGH.unsqueeze(-1).unbind(3)[lay.recurrent_blocks]
    into_TBKHS = into_TBSS.view(T, B, K, H, S)
    if K > 1 or not C_GTBKH:
        into_TBSS.zero_()
    if C_GTBKH:
        for same in stretches(weights):
            W_GHH = weights[same.start].view(-1, H, H)
            combine([C[same] for C in C_GTBKH], W_GHH, into_TBKHS[same, ..., :H])
    if E_TBKJH.numel():
        for j, E_TBKH in enumerate(E_TBKJH.unbind(3), lay.held.start):
            j_TBKHH = into_TBKHS[..., j * H : (j + 1) * H]
            j_TBKHH.diagonal(dim1=3, dim2=4).add_(E_TBKH)


def within(lay: Layout, steps: Steps, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return E, (T, B, K, K, H), and Σ_g C_g W_g on the diagonals of W, (T, B, K, H)."""
    T, B, K, _, H = steps.C_TBKGH.shape
    held_TBKKH = steps.x_TBI.new_zeros(T, B, K, K, H)
    if steps.E_TBKJH.numel():
        held_TBKKH[:, :, :, lay.held] = steps.E_TBKJH
    same = all(W is weights[0] for W in weights)
    W_TZH = weights[0].unsqueeze(0) if same else torch.stack(list(weights))
    W_T11GHH = W_TZH.view(len(W_TZH), 1, 1, *lay.recurrent)
    C_TBKGH = steps.C_TBKGH[..., lay.recurrent_blocks, :]
    through_TBKH = (C_TBKGH * W_T11GHH.diagonal(dim1=-2, dim2=-1)).sum(-2)
    if steps.reset_TB1 is not None:
        held_TBKKH.masked_fill_(steps.reset_TB1[..., None, None], 0)
        through_TBKH.masked_fill_(steps.reset_TB1[..., None], 0)
    return held_TBKKH, through_TBKH


def stretches(weights: Sequence[Tensor]) -> Iterator[slice]:
    """Iterate over the stretches of steps that have the same W."""
    start = 0
    for t in range(1, len(weights) + 1):
        if t == len(weights) or weights[t] is not weights[start]:
            yield slice(start, t)
            start = t


def combine(C_G: Sequence[Tensor], W_GHH: Tensor, into: Tensor) -> None:
    """Write Σ_g C_g W_g."""
    for g, (C, W_HH) in enumerate(zip(C_G, W_GHH.unbind(), strict=True)):
        if g == 0:
            torch.mul(C, W_HH, out=into)
        else:
            into.addcmul_(C, W_HH)


def sweep(
    lay: Layout, steps: Steps, weights: Sequence[Tensor], u_TBZ: Tensor, v_TBS: Tensor
) -> None:
    """Back-propagate: write the credit on every z, and add what comes back to every state's."""
    _, _, C_TBKGH, E_TBKJH, reset_TB1 = steps
    u_T = u_TBZ.unflatten(-1, (-1, lay.hidden)).transpose(1, 2).unbind()
    of_h_T = u_TBZ[..., lay.recurrent_rows].unbind()
    v_KT = [of_k.unbind() for of_k in v_TBS.split(lay.hidden, dim=-1)]
    C_KT = [C_TGBH.unbind() for C_TGBH in C_TBKGH.permute(2, 0, 3, 1, 4)]
    E_JKT = [[E.unbind() for E in E_KTBH] for E_KTBH in E_TBKJH.permute(3, 2, 0, 1, 4)]
    for t in range(len(weights) - 1, -1, -1):
        pull_back(
            [v_T[t + 1] for v_T in v_KT],
            [C_T[t] for C_T in C_KT],
            [[E_T[t] for E_T in E_KT] for E_KT in E_JKT],
            weights[t],
            u_T[t],
            of_h_T[t],
            None if reset_TB1 is None else reset_TB1[t],
            lay.held.start,
            [v_T[t] for v_T in v_KT],
        )


def pull_back(
    v_KNH: Sequence[Tensor] | Tensor,
    C_KGNH: Sequence[Tensor] | Tensor,
    E_JKNH: Sequence[Sequence[Tensor]] | Tensor,
    W: Tensor,
    u_GNH: Tensor,
    of_h_NZ: Tensor,
    reset_N1: Tensor | None,
    held: int,
    into_KNH: Sequence[Tensor],
) -> None:
    """Write u = v C and add v E + u W to ``into_KNH``; ``of_h_NZ`` is u where W h enters z."""
    torch.mul(v_KNH[0], C_KGNH[0], out=u_GNH)
    for v_NH, C_GNH in zip(v_KNH[1:], C_KGNH[1:], strict=True):
        u_GNH.addcmul_(v_NH, C_GNH)
    for into, E_KNH in zip(into_KNH[held:], E_JKNH, strict=False):
        for v_NH, E_NH in zip(v_KNH, E_KNH, strict=True):
            into.addcmul_(v_NH if reset_N1 is None else v_NH.masked_fill(reset_N1, 0), E_NH)
    if reset_N1 is None and of_h_NZ.dim() == 2:
        into_KNH[0].addmm_(of_h_NZ, W)
    else:
        back = of_h_NZ @ W
        into_KNH[0].add_(back if reset_N1 is None else back.masked_fill_(reset_N1, 0))
