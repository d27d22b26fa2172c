"""Long short-term memory with coupled gates: the input gate is one minus the forget gate.

    f, o = sigmoid(U x + W h + b)       gates: forget, output
    g    = tanh(U x + W h + b)          candidate
    c'   = f * c + (1 - f) * g
    h'   = o * tanh(c')

c' is a weighted mean of c and g, so from |c| <= 1 on it stays there. O(n²) a step with three
quarters of LSTM's weights. The state is s = [h, c], so S = 2H; the rows of z are [f, o, g].

References:
    Greff, Srivastava, Koutník, Steunebrink & Schmidhuber (2017), LSTM: a search space odyssey,
        IEEE Transactions on Neural Networks and Learning Systems 28(10): the variant CIFG.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class CoupledLSTM(UnitwiseCell):
    """LSTM whose input gate is one minus its forget gate, without peepholes."""

    held = slice(1, 2)

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        """Build the cell; ``forget_bias`` above zero keeps early memories alive."""
        three = slice(0, 3)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=2,
            blocks=3,
            input_blocks=three,
            recurrent_blocks=three,
        )
        with torch.no_grad():
            self.b[:hidden_size] = forget_bias

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return [h', c']."""
        f, o, g = z_BZ.chunk(3, dim=-1)
        c = torch.lerp(g.tanh(), s_BS.chunk(2, dim=-1)[1], f.sigmoid())
        return torch.cat([o.sigmoid() * c.tanh(), c], dim=-1)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write [h', c'] and leave the gates and the candidate in z."""
        H = self.hidden_size
        z_BZ[..., : 2 * H].sigmoid_()
        f, o, g = z_BZ.split(H, dim=-1)
        h, c = next_BS.split(H, dim=-1)
        torch.lerp(g.tanh_(), s_BS[..., H:], f, out=c)
        torch.tanh(c, out=h)
        h.mul_(o)

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates that ``advance`` left."""
        f, o, _ = z_BZ.split(self.hidden_size, dim=-1)
        return {"forget": f, "output": o}

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and dh'/dc, dc'/dc from the gates that ``advance`` left."""
        f, o, g = z_BZ.split(self.hidden_size, dim=-1)
        c, q = s_BS[..., self.hidden_size :], next_BS[..., self.hidden_size :].tanh()
        through = o * (1 - q * q)
        C = z_BZ.new_zeros(*z_BZ.shape[:-1], 2, 3, self.hidden_size)
        C_h, C_c = C.unbind(-3)
        C_c[..., 0, :] = f * (1 - f) * (c - g)
        C_c[..., 2, :] = (1 - f) * (1 - g * g)
        torch.mul(through.unsqueeze(-2), C_c, out=C_h)
        C_h[..., 1, :] = o * (1 - o) * q
        return C, torch.stack([through * f, f], dim=-2).unsqueeze(-2)
