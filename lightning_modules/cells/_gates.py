"""The derivatives that the variants of long short-term memory share.

    c' = f * c + i * g        h' = o * tanh(c')

Each variant adds those by what else its gates see.
"""

import torch
from torch import Tensor


def slopes(gates: tuple[Tensor, ...], c_BH: Tensor, q_BH: Tensor, through_BH: Tensor) -> Tensor:
    """Return d[h', c'] by the arguments of i, f, o, g, (..., 2, 4, H).

    ``gates`` are i, f, o, g after their functions, q = tanh(c'); ``through`` is dh'/dc'.
    """
    i, f, o, g = gates
    of_c = torch.stack(
        [i * (1 - i) * g, f * (1 - f) * c_BH, torch.zeros_like(o), i * (1 - g * g)], dim=-2
    )
    of_h = through_BH.unsqueeze(-2) * of_c
    of_h[..., 2, :] = o * (1 - o) * q_BH
    return torch.stack([of_h, of_c], dim=-3)
