"""Long short-term memory.

    i, f, o = sigmoid(U x + W h + b)       gates: input, forget, output
    g       = tanh(U x + W h + b)          candidate
    c'      = f * c + i * g
    h'      = o * tanh(c')

The state is both halves side by side, s = [h, c], so S = 2H; the rows of z are [i, f, o, g].

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8).
    Gers, Schmidhuber & Cummins (2000), Learning to forget, Neural Computation 12(10).
    Jozefowicz, Zaremba & Sutskever (2015), An empirical exploration of recurrent network
        architectures, ICML: a forget bias of 1.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._factored import Factors, dense
from lightning_modules.cells._unitwise import UnitwiseCell


@final
class LSTM(UnitwiseCell):
    """LSTM with a forget gate and no peepholes."""

    held = slice(1, 2)

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        """Build the cell; ``forget_bias`` above zero keeps early memories alive."""
        four = slice(0, 4)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=2,
            blocks=4,
            input_blocks=four,
            recurrent_blocks=four,
        )
        with torch.no_grad():
            self.b[hidden_size : 2 * hidden_size] = forget_bias

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return [h', c']."""
        i, f, o, g = z_BZ.chunk(4, dim=-1)
        c = f.sigmoid() * s_BS.chunk(2, dim=-1)[1] + i.sigmoid() * g.tanh()
        return torch.cat([o.sigmoid() * c.tanh(), c], dim=-1)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write [h', c'] and leave the gates and y = sigmoid(2 z_g) in z.

        torch's sigmoid costs a quarter of its tanh on some processors, and one call does all of z:
        tanh(x) = 2 sigmoid(2x) - 1, off by a rounding of 1, so i tanh(z_g) is i 2y - i. A Python
        number in a product costs a call more, so 2x is x + x.
        """
        i, f, o, y = z_BZ.chunk(4, dim=-1)
        h, c = next_BS.chunk(2, dim=-1)
        y.add_(y)
        z_BZ.sigmoid_()
        torch.mul(f, s_BS[..., self.hidden_size :], out=c)
        torch.add(y, y, out=h)
        c.addcmul_(i, h).sub_(i)
        torch.add(c, c, out=h)
        h.sigmoid_()
        h.add_(h).mul_(o).sub_(o)

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates that ``advance`` left."""
        i, f, o, _ = z_BZ.split(self.hidden_size, dim=-1)
        return {"input": i, "forget": f, "output": o}

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and dh'/dc, dc'/dc from the gates that ``advance`` left."""
        return dense(self.factors(z_BZ, s_BS, next_BS))

    def factors(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> Factors:
        """Return dc' by all but o, dh' by o, and dh'/dc' = o (1 - tanh²c').

        With q = sigmoid(2c') that is 4 o q (1 - q), and tanh c' is 2 q - 1; so with y for z_g.
        """
        H = self.hidden_size
        i, f, o, y = z_BZ.split(H, dim=-1)
        q = torch.mul(next_BS[..., H:], 2).sigmoid_()
        C_BZ = torch.addcmul(z_BZ, z_BZ, z_BZ, value=-1)
        through = torch.addcmul(q, q, q, value=-1).mul_(o).mul_(4)
        times = (y * 2).sub_(1), s_BS[..., H:], q.mul_(2).sub_(1), i * 4
        for C, factor in zip(C_BZ.split(H, dim=-1), times, strict=True):
            C *= factor
        return Factors(C_BZ.unflatten(-1, (4, H)), through, f, 2)
