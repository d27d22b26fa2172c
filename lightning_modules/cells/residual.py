"""Residual accumulator: each input adds to the state, and there are no recurrent weights.

    z  = U x + b
    h' = h + tanh(z)

dh'/dh is the identity at every step, so credit neither shrinks nor grows, over any distance, and
nothing is ever forgotten. O(n m) a step. The state is h alone, so S = H.

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8): the constant
        error carousel, h' = h + g(x).
    He, Zhang, Ren & Sun (2016), Identity mappings in deep residual networks, ECCV.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class Residual(UnitwiseCell):
    """h + g(x)."""

    held = slice(0, 1)

    def __init__(self, input_size: int, hidden_size: int):
        """Build the cell; W has no rows."""
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=1,
            input_blocks=slice(0, 1),
            recurrent_blocks=slice(0, 0),
        )

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return h + tanh(z)."""
        return s_BS + z_BZ.tanh()

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write h' and leave tanh(z) in z."""
        torch.add(s_BS, z_BZ.tanh_(), out=next_BS)

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return 1 - tanh²z and dh'/dh = 1."""
        C_BH = torch.addcmul(z_BZ.new_ones(()), z_BZ, z_BZ, value=-1)
        return C_BH[..., None, None, :], torch.ones_like(s_BS)[..., None, None, :]
