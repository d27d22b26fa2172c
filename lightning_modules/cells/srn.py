"""Simple recurrent network.

    z  = U x + W h + b
    h' = f(z)            f: tanh, logistic, ReLU or linear, f(z) = z

The state is h alone, so S = H, and ds'/ds at fixed z is zero: the past acts through z only.

References:
    Elman (1990), Finding structure in time, Cognitive Science 14(2).
    Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear
        units, arXiv:1504.00941.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.registry import nearest

_FUNCTIONS = {
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "relu": torch.relu,
    "linear": torch.Tensor.clone,
}


@final
class SRN(UnitwiseCell):
    """Elman's network."""

    held = slice(0, 0)

    def __init__(self, input_size: int, hidden_size: int, activation: str = "tanh"):
        """Build the cell; ``activation`` is tanh, logistic, relu or linear."""
        if activation not in _FUNCTIONS:
            raise ValueError(
                f"activation {activation!r} is unknown: {nearest(activation, _FUNCTIONS)}"
            )
        one = slice(0, 1)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=1,
            input_blocks=one,
            recurrent_blocks=one,
        )
        self.activation = activation

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return f(z)."""
        return _FUNCTIONS[self.activation](z_BZ)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write f(z) without a copy."""
        if self.activation == "relu":
            torch.clamp_min(z_BZ, 0, out=next_BS)
        elif self.activation == "linear":
            next_BS.copy_(z_BZ)
        else:
            _FUNCTIONS[self.activation](z_BZ, out=next_BS)

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return f'(z) from h' = f(z): 1 - h'², h' (1 - h'), h' > 0, or 1."""
        if self.activation == "tanh":
            C_BH = torch.addcmul(next_BS.new_ones(()), next_BS, next_BS, value=-1)
        elif self.activation == "logistic":
            C_BH = torch.addcmul(next_BS, next_BS, next_BS, value=-1)
        elif self.activation == "relu":
            C_BH = (next_BS > 0).to(next_BS.dtype)
        else:
            C_BH = torch.ones_like(next_BS)
        C_BKGH = C_BH[..., None, None, :]
        return C_BKGH, C_BKGH[..., :0, :]
