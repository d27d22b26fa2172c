"""The cells' steps as their papers write them, in plain torch: the h of every step from zero.

Each weight matrix has a name of its own, cut from U, W and b; a product is written as a sum.
"""

from typing import Any

import torch
from torch import Tensor, sigmoid, tanh


def _map(x_BI: Tensor, w_HI: Tensor) -> Tensor:
    """Return the sum over inputs, unit by unit."""
    return (x_BI[:, None, :] * w_HI).sum(-1)


def _zero(cell: Any, x_TBI: Tensor) -> Tensor:
    """Return an h of zeros, (B, H)."""
    return x_TBI.new_zeros(x_TBI.shape[1], cell.hidden_size)


@torch.no_grad()
def residual(cell: Any, x_TBI: Tensor) -> Tensor:
    h, seen = _zero(cell, x_TBI), []
    for x in x_TBI:
        h = h + tanh(_map(x, cell.U) + cell.b)
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def residual_recurrent(cell: Any, x_TBI: Tensor) -> Tensor:
    h, seen = _zero(cell, x_TBI), []
    for x in x_TBI:
        h = h + tanh(_map(x, cell.U) + _map(h, cell.W) + cell.b)
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def embedding(cell: Any, x_TBI: Tensor) -> Tensor:
    return torch.stack([_map(x, cell.U) + cell.b for x in x_TBI])


@torch.no_grad()
def saturated_linear(cell: Any, x_TBI: Tensor) -> Tensor:
    h, seen = _zero(cell, x_TBI), []
    for x in x_TBI:
        z = _map(x, cell.U) + _map(h, cell.W) + cell.b
        h = torch.where(z < 0, 0, torch.where(z > 1, 1, z))
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def narx(cell: Any, x_TBI: Tensor) -> Tensor:
    """Sum over delays, one matrix each."""
    W_k, U_k = cell.W.chunk(cell.delays, dim=1), cell.U.chunk(1 + cell.input_delays, dim=1)
    seen: list[Tensor] = []
    for t in range(len(x_TBI)):
        z = cell.b.expand(x_TBI.shape[1], -1)
        for k, U in enumerate(U_k):
            z = z + _map(x_TBI[t - k], U) if t >= k else z
        for k, W in enumerate(W_k, 1):
            z = z + _map(seen[t - k], W) if t >= k else z
        seen.append(tanh(z) if cell.readout is None else cell.readout(tanh(z)))
    return torch.stack(seen)


@torch.no_grad()
def leaky(cell: Any, x_TBI: Tensor, tau: float = 3.0) -> Tensor:
    h, seen = _zero(cell, x_TBI), []
    for x in x_TBI:
        h = (1 - 1 / tau) * h + 1 / tau * tanh(_map(x, cell.U) + _map(h, cell.W) + cell.b)
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def elstm(cell: Any, x_TBI: Tensor) -> Tensor:
    U_i, U_f, U_o, U_g = cell.U.chunk(4)
    b_i, b_f, b_o, b_g, w_i, w_f, w_o, w_g = cell.b.chunk(8)
    h = c = _zero(cell, x_TBI)
    seen = []
    for x in x_TBI:
        i = sigmoid(_map(x, U_i) + w_i * h + b_i)
        f = sigmoid(_map(x, U_f) + w_f * h + b_f)
        o = sigmoid(_map(x, U_o) + w_o * h + b_o)
        g = tanh(_map(x, U_g) + w_g * h + b_g)
        c = f * c + i * g
        h = o * tanh(c)
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def diagonal(cell: Any, x_TBI: Tensor) -> Tensor:
    (U_re, U_im), (b_re, b_im, nu, theta, gamma) = cell.U.chunk(2), cell.b.chunk(5)
    eigenvalue = torch.exp(torch.complex(-torch.exp(nu), torch.exp(theta)))
    h, seen = torch.complex(_zero(cell, x_TBI), _zero(cell, x_TBI)), []
    for x in x_TBI:
        entering = torch.complex(_map(x, U_re) + b_re, _map(x, U_im) + b_im)
        h = eigenvalue * h + torch.exp(gamma) * entering
        seen.append(h.real)
    return torch.stack(seen)


@torch.no_grad()
def peephole_lstm(cell: Any, x_TBI: Tensor) -> Tensor:
    (U_i, U_f, U_o, U_g), (W_i, W_f, W_o, W_g) = cell.U.chunk(4), cell.W.chunk(4)
    b_i, b_f, b_o, b_g, p_i, p_f, p_o = cell.b.chunk(7)
    h = c = _zero(cell, x_TBI)
    seen = []
    for x in x_TBI:
        i = sigmoid(_map(x, U_i) + _map(h, W_i) + p_i * c + b_i)
        f = sigmoid(_map(x, U_f) + _map(h, W_f) + p_f * c + b_f)
        g = tanh(_map(x, U_g) + _map(h, W_g) + b_g)
        c = f * c + i * g
        o = sigmoid(_map(x, U_o) + _map(h, W_o) + p_o * c + b_o)
        h = o * tanh(c)
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def coupled_lstm(cell: Any, x_TBI: Tensor) -> Tensor:
    (U_f, U_o, U_g), (W_f, W_o, W_g) = cell.U.chunk(3), cell.W.chunk(3)
    b_f, b_o, b_g = cell.b.chunk(3)
    h = c = _zero(cell, x_TBI)
    seen = []
    for x in x_TBI:
        f = sigmoid(_map(x, U_f) + _map(h, W_f) + b_f)
        o = sigmoid(_map(x, U_o) + _map(h, W_o) + b_o)
        g = tanh(_map(x, U_g) + _map(h, W_g) + b_g)
        c = f * c + (1 - f) * g
        h = o * tanh(c)
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def lstm_below_srn(cell: Any, x_TBI: Tensor) -> Tensor:
    lstm, srn = cell.cells
    (U_i, U_f, U_o, U_g), (W_i, W_f, W_o, W_g) = lstm.U.chunk(4), lstm.W.chunk(4)
    b_i, b_f, b_o, b_g = lstm.b.chunk(4)
    h = c = _zero(lstm, x_TBI)
    top, seen = _zero(srn, x_TBI), []
    for x in x_TBI:
        i = sigmoid(_map(x, U_i) + _map(h, W_i) + b_i)
        f = sigmoid(_map(x, U_f) + _map(h, W_f) + b_f)
        o = sigmoid(_map(x, U_o) + _map(h, W_o) + b_o)
        c = f * c + i * tanh(_map(x, U_g) + _map(h, W_g) + b_g)
        h = o * tanh(c)
        top = tanh(_map(h, srn.U) + _map(top, srn.W) + srn.b)
        seen.append(top)
    return torch.stack(seen)


@torch.no_grad()
def ablated_lstm(cell: Any, x_TBI: Tensor) -> Tensor:
    gates = [gate for gate in ("input", "forget", "output") if gate != cell.without]
    maps = zip(*(w.chunk(len(gates) + 1) for w in (cell.U, cell.W, cell.b)), strict=True)
    weights = dict(zip([*gates, "candidate"], maps, strict=True))
    h = c = _zero(cell, x_TBI)
    seen = []
    for x in x_TBI:
        z = {name: _map(x, U) + _map(h, W) + b for name, (U, W, b) in weights.items()}
        i, f, o = (sigmoid(z[k]) if k in z else 1 for k in ("input", "forget", "output"))
        g = z["candidate"] if cell.without == "input_activation" else tanh(z["candidate"])
        c = f * c + i * g
        h = o * (c if cell.without == "output_activation" else tanh(c))
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def min_gru(cell: Any, x_TBI: Tensor) -> Tensor:
    (U_z, U_h), (b_z, b_h) = cell.U.chunk(2), cell.b.chunk(2)
    h, seen = _zero(cell, x_TBI), []
    for x in x_TBI:
        z = sigmoid(_map(x, U_z) + b_z)
        h = (1 - z) * h + z * (_map(x, U_h) + b_h)
        seen.append(h)
    return torch.stack(seen)


def _normalised(a: Tensor, by: Any) -> Tensor:
    """Return a with mean 0 and variance 1 over each sample's entries, scaled and shifted."""
    apart = a - a.mean(-1, keepdim=True)
    return by.weight * apart / (apart.square().mean(-1, keepdim=True) + 1e-5).sqrt() + by.bias


@torch.no_grad()
def layer_norm_lstm(cell: Any, x_TBI: Tensor) -> Tensor:
    h = c = _zero(cell, x_TBI)
    seen = []
    for x in x_TBI:
        of_x, of_h = (
            _normalised(_map(x, cell.U), cell.of_x),
            _normalised(_map(h, cell.W), cell.of_h),
        )
        i, f, o, g = (of_x + of_h + cell.b).chunk(4, dim=-1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(_normalised(c, cell.of_c))
        seen.append(h)
    return torch.stack(seen)


@torch.no_grad()
def janet(cell: Any, x_TBI: Tensor, beta: float = 1.0) -> Tensor:
    (U_f, U_g), (W_f, W_g), (b_f, b_g) = cell.U.chunk(2), cell.W.chunk(2), cell.b.chunk(2)
    h, seen = _zero(cell, x_TBI), []
    for x in x_TBI:
        s = _map(x, U_f) + _map(h, W_f) + b_f
        g = tanh(_map(x, U_g) + _map(h, W_g) + b_g)
        h = sigmoid(s) * h + (1 - sigmoid(s - beta)) * g
        seen.append(h)
    return torch.stack(seen)
