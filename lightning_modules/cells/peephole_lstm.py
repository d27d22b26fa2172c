"""Long short-term memory whose gates see the cell's content.

    i, f = sigmoid(U x + W h + b + p * c)       gates: input, forget
    g    = tanh(U x + W h + b)                  candidate
    c'   = f * c + i * g
    o    = sigmoid(U x + W h + b + p * c')      gate: output, which sees the new content
    h'   = o * tanh(c')

Each peephole p is a vector: a gate sees its own unit's content alone. O(n²) a step. The state is
s = [h, c], so S = 2H; the rows of z are [i, f, o, g, p_i, p_f, p_o], of which the last three are
parameters alone.

References:
    Gers & Schmidhuber (2000), Recurrent nets that time and count, IJCNN.
    Gers, Schraudolph & Schmidhuber (2002), Learning precise timing with LSTM recurrent networks,
        Journal of Machine Learning Research 3.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._gates import slopes
from lightning_modules.cells._unitwise import UnitwiseCell


@final
class PeepholeLSTM(UnitwiseCell):
    """LSTM with a forget gate and three peepholes."""

    held = slice(1, 2)

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        """Build the cell; ``forget_bias`` above zero keeps early memories alive."""
        four = slice(0, 4)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=2,
            blocks=7,
            input_blocks=four,
            recurrent_blocks=four,
        )
        with torch.no_grad():
            self.b[hidden_size : 2 * hidden_size] = forget_bias

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return [h', c']."""
        c = s_BS.chunk(2, dim=-1)[1]
        i, f, o, g, p_i, p_f, p_o = z_BZ.chunk(7, dim=-1)
        c = (f + p_f * c).sigmoid() * c + (i + p_i * c).sigmoid() * g.tanh()
        return torch.cat([(o + p_o * c).sigmoid() * c.tanh(), c], dim=-1)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write [h', c'] and leave [i, f, o, g] in front of p in z."""
        H = self.hidden_size
        z_B7H = z_BZ.unflatten(-1, (7, H))
        z_B7H[..., :2, :].addcmul_(z_B7H[..., 4:6, :], s_BS[..., None, H:]).sigmoid_()
        i, f, o, g, _, _, p_o = z_B7H.unbind(-2)
        h, c = next_BS.split(H, dim=-1)
        torch.mul(f, s_BS[..., H:], out=c)
        c.addcmul_(i, g.tanh_())
        o.addcmul_(p_o, c).sigmoid_()
        torch.tanh(c, out=h)
        h.mul_(o)

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates that ``advance`` left."""
        i, f, o, *_ = z_BZ.split(self.hidden_size, dim=-1)
        return {"input": i, "forget": f, "output": o}

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and dh'/dc, dc'/dc from the gates that ``advance`` left."""
        H = self.hidden_size
        i, f, o, g, p_i, p_f, p_o = z_BZ.split(H, dim=-1)
        c, c_next = s_BS[..., H:], next_BS[..., H:]
        q = c_next.tanh()
        through = o * (1 - q * q) + q * o * (1 - o) * p_o
        C_B24H = slopes((i, f, o, g), c, q, through)
        seen_B13H = torch.stack([c, c, c_next], dim=-2).unsqueeze(-3)
        of_i, of_f = C_B24H[..., 1, :2, :].unbind(-2)
        kept = f + of_i * p_i + of_f * p_f
        E_B2H = torch.stack([through * kept, kept], dim=-2)
        return torch.cat([C_B24H, C_B24H[..., :3, :] * seen_B13H], dim=-2), E_B2H.unsqueeze(-2)
