"""Element-wise long short-term memory: no unit depends on another.

    i, f, o = sigmoid(U x + b + w * h)       gates: input, forget, output
    g       = tanh(U x + b + w * h)          candidate
    c'      = f * c + i * g
    h'      = o * tanh(c')

Each gate has a vector w of recurrent weights in place of a matrix, so that ds'/ds is diagonal by
unit and exact real-time learning costs O(P) a step. O(n m) a step. The state is s = [h, c], so
S = 2H; the rows of z are [i, f, o, g, w_i, w_f, w_o, w_g], of which the last four are parameters
alone. Irie's form couples i to f and lets the gates see c; this one keeps LSTM's gates and h.

References:
    Irie, Gopalakrishnan & Schmidhuber (2024), Exploring the promise and limits of real-time
        recurrent learning, ICLR, arXiv:2305.19044.
    Mozer (1989), A focused backpropagation algorithm for temporal pattern recognition, Complex
        Systems 3(4).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._gates import slopes
from lightning_modules.cells._unitwise import UnitwiseCell


@final
class ELSTM(UnitwiseCell):
    """LSTM with a vector of recurrent weights for each gate."""

    held = slice(0, 2)

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        """Build the cell; ``forget_bias`` above zero keeps early memories alive."""
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=2,
            blocks=8,
            input_blocks=slice(0, 4),
            recurrent_blocks=slice(0, 0),
        )
        with torch.no_grad():
            self.b[hidden_size : 2 * hidden_size] = forget_bias

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return [h', c']."""
        h, c = s_BS.chunk(2, dim=-1)
        i, f, o, g, w_i, w_f, w_o, w_g = z_BZ.chunk(8, dim=-1)
        c = (f + w_f * h).sigmoid() * c + (i + w_i * h).sigmoid() * (g + w_g * h).tanh()
        return torch.cat([(o + w_o * h).sigmoid() * c.tanh(), c], dim=-1)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write [h', c'] and leave [i, f, o, g] in front of w in z."""
        H = self.hidden_size
        z_B8H = z_BZ.unflatten(-1, (8, H))
        z_B8H[..., :4, :].addcmul_(z_B8H[..., 4:, :], s_BS[..., None, :H])
        z_BZ[..., : 3 * H].sigmoid_()
        z_BZ[..., 3 * H : 4 * H].tanh_()
        i, f, o, g = z_B8H[..., :4, :].unbind(-2)
        h, c = next_BS.split(H, dim=-1)
        torch.mul(f, s_BS[..., H:], out=c)
        c.addcmul_(i, g)
        torch.tanh(c, out=h)
        h.mul_(o)

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates that ``advance`` left."""
        i, f, o, *_ = z_BZ.split(self.hidden_size, dim=-1)
        return {"input": i, "forget": f, "output": o}

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and E from the gates that ``advance`` left."""
        H = self.hidden_size
        z_B8H, (h, c) = z_BZ.unflatten(-1, (8, H)), s_BS.split(H, dim=-1)
        i, f, o, g = z_B8H[..., :4, :].unbind(-2)
        w_B14H, q = z_B8H[..., None, 4:, :], next_BS[..., H:].tanh()
        through = o * (1 - q * q)
        C_B24H = slopes((i, f, o, g), c, q, through)
        by_c_B2H = torch.stack([through * f, f], dim=-2)
        E_B22H = torch.stack([(C_B24H * w_B14H).sum(-2), by_c_B2H], dim=-2)
        return torch.cat([C_B24H, C_B24H * h[..., None, None, :]], dim=-2), E_B22H
