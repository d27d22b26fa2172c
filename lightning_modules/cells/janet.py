"""JANET: long short-term memory with the forget gate alone.

    z  = U x + W h + b                          its blocks: f, g
    h' = sigmoid(z_f) * h + (1 - sigmoid(z_f - β)) * tanh(z_g)

One gate decides both what is forgotten and what comes in; β > 0 lets in more than was forgotten.
With β = 0 h' is a weighted mean of h and the candidate. O(n²) a step with half of LSTM's weights.
There is no output gate, so the memory itself is the output: the state is h alone, S = H.

References:
    van der Westhuizen & Lasenby (2018), The unreasonable effectiveness of the forget gate,
        arXiv:1804.04849: β = 1.
"""

import math
from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class JANET(UnitwiseCell):
    """One gate for what is kept and what comes in."""

    held = slice(0, 1)

    def __init__(
        self, input_size: int, hidden_size: int, forget_bias: float = 1.0, beta: float = 1.0
    ):
        """Build the cell; ``forget_bias`` above zero keeps early memories alive."""
        both = slice(0, 2)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=2,
            input_blocks=both,
            recurrent_blocks=both,
        )
        self.beta = beta
        with torch.no_grad():
            self.b[:hidden_size] = forget_bias

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return h'."""
        f, g = z_BZ.chunk(2, dim=-1)
        return f.sigmoid() * s_BS + (self.beta - f).sigmoid() * g.tanh()

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write h' and leave the gate and the candidate in z."""
        f, g = z_BZ.split(self.hidden_size, dim=-1)
        torch.mul(f.sigmoid_(), s_BS, out=next_BS)
        next_BS.addcmul_(self._room(f), g.tanh_())

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gate that ``advance`` left."""
        return {"forget": z_BZ[..., : self.hidden_size]}

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and dh'/dh = f from the gate that ``advance`` left."""
        f, g = z_BZ.split(self.hidden_size, dim=-1)
        room = self._room(f)
        C = torch.empty_like(z_BZ).unflatten(-1, (2, self.hidden_size))
        C_f, C_g = C.unbind(-2)
        torch.sub(f * (1 - f) * s_BS, room * (1 - room) * g, out=C_f)
        torch.mul(room, 1 - g * g, out=C_g)
        return C.unsqueeze(-3), f[..., None, None, :]

    def _room(self, f: Tensor) -> Tensor:
        """Return 1 - sigmoid(z - β) for f = sigmoid(z), by the odds: (1 - f) : f exp(-β)."""
        closed = 1 - f
        return closed / (closed + f * math.exp(-self.beta))
