"""torch.nn's recurrent layers as cells of ours with the same weights.

Theirs have two biases, which only a GRU's candidate keeps apart, and gates in another order:

    LSTM    i f g o  ->  i f o g        GRU    r z n  ->  n_x r u n_h

A layer without biases is one whose biases are zero: probes of gradients count theirs too.
"""

from typing import Any

import torch
from torch import Tensor, nn

from lightning_modules.cells.gru import GRU
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Cell


def as_cell(net: nn.RNNBase) -> Cell:
    """Return one cell for all layers; ValueError for what has no counterpart."""
    _refuse(net)
    H, sizes = net.hidden_size, [net.input_size] + [net.hidden_size] * (net.num_layers - 1)
    cells: list[Cell] = []
    for level, I in enumerate(sizes):  # noqa: E741
        cell: Any
        if isinstance(net, nn.LSTM):
            cell = LSTM(I, H)
        elif isinstance(net, nn.GRU):
            cell = GRU(I, H)
        else:
            cell = SRN(I, H, activation=str(getattr(net, "nonlinearity", "tanh")))
        cells.append(cell.to(net.weight_ih_l0))
        with torch.no_grad():
            for into, weights in zip(cell.parameters(), _weights(net, level), strict=True):
                into.copy_(weights)
    return cells[0] if len(cells) == 1 else Stack(cells)


def _refuse(net: nn.RNNBase) -> None:
    """Say in one line what cannot be followed."""
    name = type(net).__name__
    if net.bidirectional:
        raise ValueError(f"{name} is bidirectional: a cell goes one way; probe one of each way")
    if net.proj_size:
        raise ValueError(f"{name} has proj_size {net.proj_size}: no cell projects its h")
    if net.dropout and net.num_layers > 1 and net.training:
        raise ValueError(
            f"{name} drops out between layers, unseen from outside: make them a module each"
        )


def _weights(net: nn.RNNBase, level: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return U, W and b of a layer in our order."""
    U, W = (getattr(net, f"weight_{of}_l{level}") for of in ("ih", "hh"))
    b_x, b_h = U.new_zeros(2, len(U)).unbind()
    if net.bias:
        b_x, b_h = (getattr(net, f"bias_{of}_l{level}") for of in ("ih", "hh"))
    if isinstance(net, nn.LSTM):
        parts = (w.chunk(4) for w in (U, W, b_x + b_h))
        U, W, b = (torch.cat([i, f, o, g]) for i, f, g, o in parts)
        return U, W, b
    if isinstance(net, nn.GRU):
        (U_r, U_u, U_n), (x_r, x_u, x_n), (h_r, h_u, h_n) = (w.chunk(3) for w in (U, b_x, b_h))
        return torch.cat([U_n, U_r, U_u]), W, torch.cat([x_n, x_r + h_r, x_u + h_u, h_n])
    return U, W, b_x + b_h


def start_of(net: nn.RNNBase, given: Any, B: int, like: Tensor) -> Tensor:
    """Return the state that a call starts from, (B, S): h, or h and c, of the top layer first."""
    if given is None:
        blocks = 2 if isinstance(net, nn.LSTM) else 1
        return like.new_zeros(B, blocks * net.hidden_size * net.num_layers)
    return joint(given if isinstance(given, tuple) else (given,), B)


def joint(parts: tuple[Tensor, ...], B: int) -> Tensor:
    """Return torch's (layers, B, H), one for h and one for c, as our joint state, (B, S)."""
    of_LBH = [part.reshape(len(part), B, -1) for part in parts]
    layers = [torch.cat(layer, dim=-1) for layer in zip(*of_LBH, strict=True)]
    return torch.cat(layers[::-1], dim=-1)
