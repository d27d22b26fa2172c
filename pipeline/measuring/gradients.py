"""Gradients as tensors -> floats: how far apart two are, and how error fades on its way back."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lightning_modules.interfaces import Cell, Trajectory
from lightning_modules.norms import norm, scaled


def compare(g_P: Tensor, reference_P: Tensor) -> dict[str, float]:
    """Return the cosine, ratio of norms and relative error of a gradient to its reference.

    The cosine is 0 if either gradient is zero. All three are right for gradients of any size;
    torch.cosine_similarity would treat norms below 1e-8 as 1e-8.
    """
    g_P, reference_P = g_P.double(), reference_P.double()
    one_P, other_P = (normalize(scaled(v_P)[0], dim=0) for v_P in (g_P, reference_P))
    return {
        "cosine": float(one_P @ other_P),
        "norm_ratio": float(norm(g_P) / norm(reference_P)),
        "relative_error": relative_error(g_P, reference_P),
    }


def relative_error(g: Tensor, reference: Tensor) -> float:
    """Return ‖g − reference‖ / ‖reference‖; infinite if the reference alone is zero."""
    error, size = float(norm(g - reference)), float(norm(reference))
    return error / size if size else math.inf if error else 0.0


def by_block(cell: Cell, g_P: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Iterate over the parts of a flat gradient, by the names of the cell's parameters."""
    named = list(cell.named_parameters())
    parts = g_P.split([weight.numel() for _, weight in named])
    yield from ((name, part) for (name, _), part in zip(named, parts, strict=True))


def autograd_gradient(
    cell: Cell,
    x_TBI: Tensor,
    s_BS: Tensor,
    loss: Callable[[int, Tensor], Tensor],
    resets_TB: Tensor | None = None,
) -> Tensor:
    """Return the gradient, (P,), of the sum of ``loss(t, s_BS)`` by automatic differentiation."""
    total = torch.zeros((), dtype=x_TBI.dtype)
    for t, x_BI in enumerate(x_TBI):
        if resets_TB is not None:
            s_BS = s_BS * ~resets_TB[t, :, None]
        s_BS = cell(x_BI, s_BS)
        total = total + loss(t, s_BS)
    return torch.cat([g.flatten() for g in torch.autograd.grad(total, list(cell.parameters()))])


def log_error_left(path: Trajectory, hidden: int) -> Tensor:
    """Return ln ‖∂L/∂h_t‖ at every step, (T + 1, B), for an error of length 1 at the last h.

    That error's direction is random. Time runs forwards, so the last entry is 0.
    """
    last_1BS = path.states_TBS[-1:]
    c_1BS = torch.zeros_like(last_1BS)
    c_1BS[..., :hidden] = normalize(torch.randn_like(last_1BS[..., :hidden]), dim=-1)
    _, v_TBS = path.sweep(c_1BS)
    return norm(v_TBS[..., :hidden], -1).log()
