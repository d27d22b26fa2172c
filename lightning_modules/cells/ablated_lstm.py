"""Long short-term memory with one of its parts taken out.

    i, f, o = sigmoid(U x + W h + b)       gates: input, forget, output
    g       = tanh(U x + W h + b)          candidate
    c'      = f * c + i * g
    h'      = o * tanh(c')

without ``input``              i = 1             (NIG)
without ``forget``             f = 1             (NFG)
without ``output``             o = 1             (NOG)
without ``input_activation``   g = U x + W h + b (NIAF)
without ``output_activation``  h' = o * c'       (NOAF)

A gate that is taken out is always open, and its weights go with it: three quarters of LSTM's
remain. Without an activation all weights remain. O(n²) a step. The state is s = [h, c], so S = 2H;
the rows of z are those of [i, f, o, g] that are left, in this order. Greff's cells have peepholes
besides, and LSTM with coupled gates (CIFG) is ``coupled_lstm``.

References:
    Greff, Srivastava, Koutník, Steunebrink & Schmidhuber (2017), LSTM: a search space odyssey,
        IEEE Transactions on Neural Networks and Learning Systems 28(10): the variants' names.
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8): f = 1.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.registry import nearest

_GATES = ("input", "forget", "output")
_PARTS = (*_GATES, "input_activation", "output_activation")


@final
class AblatedLSTM(UnitwiseCell):
    """LSTM without the gate or the activation that ``without`` names, and without peepholes."""

    held = slice(1, 2)

    def __init__(
        self, input_size: int, hidden_size: int, without: str = "forget", forget_bias: float = 1.0
    ):
        """Build the cell; ``forget_bias`` has no effect without a forget gate."""
        if without not in _PARTS:
            raise ValueError(f"without {without!r} is unknown: {nearest(without, _PARTS)}")
        self.left = [gate for gate in _GATES if gate != without]
        every = slice(0, len(self.left) + 1)
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=2,
            blocks=every.stop,
            input_blocks=every,
            recurrent_blocks=every,
        )
        self.without = without
        if without != "forget":
            with torch.no_grad():
                self.b.view(-1, hidden_size)[self.left.index("forget")] = forget_bias

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return [h', c']."""
        H, c = self.hidden_size, s_BS.chunk(2, dim=-1)[1]
        g = z_BZ[..., -H:]
        i, f, o = self._three(z_BZ[..., :-H].sigmoid())
        c = f * c + i * (g if self.without == "input_activation" else g.tanh())
        return torch.cat([o * (c if self.without == "output_activation" else c.tanh()), c], dim=-1)

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write [h', c'] and leave the gates and the candidate in z."""
        H = self.hidden_size
        h, c = next_BS.split(H, dim=-1)
        i, f, o = self._three(z_BZ[..., :-H].sigmoid_())
        g = z_BZ[..., -H:]
        if self.without != "input_activation":
            g.tanh_()
        torch.mul(f, s_BS[..., H:], out=c)
        c.addcmul_(i, g)
        if self.without == "output_activation":
            torch.mul(o, c, out=h)
        else:
            torch.tanh(c, out=h)
            h.mul_(o)

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates that are left, as ``advance`` left them."""
        of_gates = z_BZ[..., : -self.hidden_size].split(self.hidden_size, dim=-1)
        return dict(zip(self.left, of_gates, strict=True))

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and dh'/dc, dc'/dc from the gates that ``advance`` left.

        q is tanh(c') or c', and through, dh'/dc', is o (1 - q²) or o.
        """
        H = self.hidden_size
        c, q, g = s_BS[..., H:], next_BS[..., H:], z_BZ[..., -H:]
        i, f, o = self._three(z_BZ[..., :-H])
        through = o
        if self.without != "output_activation":
            q = q.tanh()
            through = o * (1 - q * q)
        C = z_BZ.new_zeros(*z_BZ.shape[:-1], 2, len(self.left) + 1, H)
        C_h, C_c = C.unbind(-3)
        times = {"input": g, "forget": c, "output": q}
        for block, (name, gate) in enumerate(self.gates(z_BZ, s_BS, next_BS).items()):
            into = C_h if name == "output" else C_c
            into[..., block, :] = torch.addcmul(gate, gate, gate, value=-1) * times[name]
        C_c[..., -1, :] = i if self.without == "input_activation" else i * (1 - g * g)
        C_h.addcmul_(through.unsqueeze(-2), C_c)
        return C, torch.stack([through * f, f.expand_as(c)], dim=-2).unsqueeze(-2)

    def _three(self, of_gates: Tensor) -> list[Tensor]:
        """Return i, f and o; a gate that was taken out is 1 for all units."""
        there = iter(of_gates.split(self.hidden_size, dim=-1))
        open_H = of_gates.new_ones(self.hidden_size)
        return [next(there) if gate in self.left else open_H for gate in _GATES]
