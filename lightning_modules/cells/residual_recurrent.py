"""Residual network in time: each step adds a function of input and state to the state.

    z  = U x + W h + b
    h' = h + tanh(z)

dh'/dh = 1 + diag(1 - tanh²z) W: the identity passes credit on unchanged, the second term may shrink
or grow it. O(n²) a step. The state is h alone, so S = H.

References:
    He, Zhang, Ren & Sun (2016), Identity mappings in deep residual networks, ECCV.
    Liao & Poggio (2016), Bridging the gaps between residual learning, recurrent neural networks
        and visual cortex, arXiv:1604.03640: a residual network whose layers share their weights.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class ResidualRecurrent(UnitwiseCell):
    """h + g(x, h)."""

    held = slice(0, 1)

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

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return h + tanh(z)."""
        return s_BS + z_BZ.tanh()

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write h' and leave tanh(z) in z."""
        torch.add(s_BS, z_BZ.tanh_(), out=next_BS)

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return 1 - tanh²z and dh'/dh = 1 at fixed z."""
        C_BH = torch.addcmul(z_BZ.new_ones(()), z_BZ, z_BZ, value=-1)
        return C_BH[..., None, None, :], torch.ones_like(s_BS)[..., None, None, :]
