"""Gated recurrent unit, in the form that resets after the recurrent product.

    r, u = sigmoid(U x + W h + b)                     gates: reset, update
    n    = tanh(U x + b + r * (W h + b))              candidate; its halves have a bias each
    h'   = (1 - u) * n + u * h

The state is h alone, so S = H. The rows of z are [n_x, r, u, n_h]: the first three blocks get
U x, the last three W h, so that the candidate's halves stay apart until r has acted.

References:
    Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, EMNLP.
    Appleyard, Kocisky & Blunsom (2016), Optimizing performance of recurrent neural networks on
        GPUs, arXiv:1604.01946: the reset-after form.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.cells._unitwise import UnitwiseCell


@final
class GRU(UnitwiseCell):
    """GRU with the reset gate after the recurrent product, as cuDNN and torch.nn have it."""

    held = slice(0, 1)

    def __init__(self, input_size: int, hidden_size: int):
        """Build the cell."""
        super().__init__(
            input_size,
            hidden_size,
            state_blocks=1,
            blocks=4,
            input_blocks=slice(0, 3),
            recurrent_blocks=slice(1, 4),
        )

    def update(self, z_BZ: Tensor, s_BS: Tensor) -> Tensor:
        """Return h'."""
        n_x, r, u, n_h = z_BZ.chunk(4, dim=-1)
        return torch.lerp((n_x + r.sigmoid() * n_h).tanh(), s_BS, u.sigmoid())

    def advance(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> None:
        """Write h' and leave [n, r, u, n_h] in z."""
        H = self.hidden_size
        z_BZ[..., H : 3 * H].sigmoid_()
        n, r, u, n_h = z_BZ.split(H, dim=-1)
        n.addcmul_(r, n_h).tanh_()
        torch.lerp(n, s_BS, u, out=next_BS)

    def gates(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> dict[str, Tensor]:
        """Return the gates that ``advance`` left."""
        _, r, u, _ = z_BZ.split(self.hidden_size, dim=-1)
        return {"reset": r, "update": u}

    def derivatives(self, z_BZ: Tensor, s_BS: Tensor, next_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return C and dh'/dh = u from what ``advance`` left."""
        n, r, u, n_h = z_BZ.split(self.hidden_size, dim=-1)
        C = torch.empty_like(z_BZ).unflatten(-1, (4, self.hidden_size))
        C_nx, C_r, C_u, C_nh = C.unbind(-2)
        torch.mul(1 - u, torch.addcmul(u.new_ones(()), n, n, value=-1), out=C_nx)
        torch.mul(C_nx, r, out=C_nh)
        torch.mul(C_nh * n_h, 1 - r, out=C_r)
        torch.mul(torch.addcmul(u, u, u, value=-1), s_BS - n, out=C_u)
        return C.unsqueeze(-3), u[..., None, None, :]
