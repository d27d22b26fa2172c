"""Embedding as the memoryless bottom layer of a stack: each symbol has a learned vector.

    z  = E x + b
    h' = z

x is one-hot, so that h' is the symbol's column of E, plus b; an x of zeros, such as padding, gives
b alone. In the code E is U, as every map from x is. The state is h alone, S = H, but h' does not
depend on h: nothing is remembered, and ds'/ds = 0 at every step. ``Stack([Embedding(65, 64),
LSTM(64, 512)])`` is trained by any algorithm, and exactly by those that are exact.

Cost: O(I H) a step, since x is a vector like any other. For an alphabet that is negligible beside
the cell above. For thousands of words it is not; there ``torch.nn.Embedding`` is cheaper, in
networks that are trained by automatic differentiation.

References:
    Bengio, Ducharme, Vincent & Janvin (2003), A neural probabilistic language model, Journal of
        Machine Learning Research 3. It has no b.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class Embedding(UnitwiseCell):
    """A linear map of the present input, without memory."""

    held = slice(0, 0)

    def __init__(self, input_size: int, hidden_size: int):
        """Build the cell for ``input_size`` symbols; W has no rows."""
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=1,
            input_blocks=slice(0, 1),
            recurrent_blocks=slice(0, 0),
        )

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return z."""
        return z_BZ

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write z."""
        next_BS.copy_(z_BZ)

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return dh'/dz = 1; of E no block is held."""
        C_BKGH = torch.ones_like(z_BZ)[..., None, None, :]
        return C_BKGH, C_BKGH[..., :0, :]
