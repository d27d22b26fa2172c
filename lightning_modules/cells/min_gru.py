"""The minimal gated recurrent unit: gates and candidates that see the input alone.

    z  = sigmoid(U x + b)                gate: how much comes in
    h~ = U x + b                         candidate
    h' = (1 - z) * h + z * h~

Nothing passes from unit to unit, and what passes within one does not depend on h, so the paper
trains it by a parallel scan; here it is stepped like any cell. Diagonal by unit: SnAp-1 and
``diagonal_rtrl`` are exact on it. O(n m) a step. The state is h alone, so S = H; the rows of z
are [z, h~].

References:
    Feng, Tung, Ahmed, Bengio & Hajimirsadeghi (2024), Were RNNs all we needed?, arXiv:2410.01201:
        section 3.1. Its form in log space has a candidate that is above 0; this one has not.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class MinGRU(UnitwiseCell):
    """GRU without a reset gate and without recurrent weights."""

    held = slice(0, 1)

    def __init__(self, input_size: int, hidden_size: int):
        """Build the cell."""
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=2,
            input_blocks=slice(0, 2),
            recurrent_blocks=slice(0, 0),
        )

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return h'."""
        z, candidate = z_BZ.chunk(2, dim=-1)
        return torch.lerp(s_BS, candidate, z.sigmoid())

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write h' and leave the gate in front of the candidate in z."""
        z, candidate = z_BZ.split(self.hidden_size, dim=-1)
        torch.lerp(s_BS, candidate, z.sigmoid_(), out=next_BS)

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gate that ``advance`` left."""
        return {"input": z_BZ[..., : self.hidden_size]}

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return z (1 - z)(h~ - h) and z, and dh'/dh = 1 - z, from what ``advance`` left."""
        z, candidate = z_BZ.split(self.hidden_size, dim=-1)
        C_BGH = torch.stack([z * (1 - z) * (candidate - s_BS), z], dim=-2)
        return C_BGH.unsqueeze(-3), (1 - z)[..., None, None, :]
