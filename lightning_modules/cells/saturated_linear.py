"""Simple recurrent network of saturated-linear units.

    z  = U x + W h + b
    h' = σ(z)            σ(z) = min(1, max(0, z)), σ'(z) = 1 where 0 < z < 1, else 0

The state is h alone, so S = H. With U, W and b of a machine (``machines/``) it runs that machine,
and every probe can look at it; error goes back only through units that are neither 0 nor 1. b
starts 1/2 higher than in other cells, in the middle of where a unit is linear.

References:
    Siegelmann & Sontag (1995), On the computational power of neural nets, Journal of Computer and
        System Sciences 50(1).
"""

from typing import final

import torch
from torch import Tensor
from torch.nn.functional import hardtanh

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class SaturatedLinear(UnitwiseCell):
    """Elman's network with an activation that is linear from 0 to 1 and constant outside."""

    held = slice(0, 0)

    def __init__(self, input_size: int, hidden_size: int):
        """Build the cell."""
        one = slice(0, 1)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=1,
            input_blocks=one,
            recurrent_blocks=one,
        )
        with torch.no_grad():
            self.b.add_(0.5)

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return σ(z)."""
        return hardtanh(z_BZ, 0.0, 1.0)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write σ(z) without a copy."""
        torch.clamp(z_BZ, 0, 1, out=next_BS)

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return σ'(z) from h' = σ(z): 1 where it is neither 0 nor 1."""
        C_BH = ((next_BS > 0) & (next_BS < 1)).to(next_BS.dtype)
        C_BKGH = C_BH[..., None, None, :]
        return C_BKGH, C_BKGH[..., :0, :]
