"""torch's own recurrent layers with a cell's weights: the h of every step from zero."""

import torch
from torch import Tensor, nn

from lightning_modules.cells._unitwise import UnitwiseCell


def srn(cell: UnitwiseCell, x_TBI: Tensor) -> Tensor:
    return _follow(nn.RNN, cell, x_TBI, (cell.U, cell.W, cell.b, torch.zeros_like(cell.b)))


def lstm(cell: UnitwiseCell, x_TBI: Tensor) -> Tensor:
    # torch has the gates as i, f, g, o.
    U, W, b = (torch.cat([w.chunk(4)[k] for k in (0, 1, 3, 2)]) for w in cell.parameters())
    return _follow(nn.LSTM, cell, x_TBI, (U, W, b, torch.zeros_like(b)))


def gru(cell: UnitwiseCell, x_TBI: Tensor) -> Tensor:
    # torch has them as r, u, n, with two biases; its second acts on n's recurrent half.
    U_n, U_r, U_u = cell.U.chunk(3)
    b_nx, b_r, b_u, b_nh = cell.b.chunk(4)
    U, zero = torch.cat([U_r, U_u, U_n]), torch.zeros_like(b_nh)
    b_x, b_h = torch.cat([b_r, b_u, b_nx]), torch.cat([zero, zero, b_nh])
    return _follow(nn.GRU, cell, x_TBI, (U, cell.W, b_x, b_h))


def _follow(
    layer: type[nn.RNNBase], cell: UnitwiseCell, x_TBI: Tensor, weights: tuple[Tensor, ...]
) -> Tensor:
    """Give torch's layer the weights and return its outputs."""
    twin = layer(cell.input_size, cell.hidden_size).to(x_TBI.dtype)  # pyright: ignore[reportCallIssue]
    with torch.no_grad():
        for into, w in zip(twin.parameters(), weights, strict=True):
            into.copy_(w)
        return twin(x_TBI)[0]
