"""Initial weights of a feed-forward network, for every affine layer of I inputs and O units.

    uniform       W, b ~ U(-r, r)                        classical; r is the scale
    fan_in        W ~ U(-s/√I, s/√I),        b = 0       the usual one of Glorot & Bengio's time
    normalised    W ~ s U(-√6/√(I+O), √6/√(I+O)), b = 0  keeps variances, forwards and backwards
    gaussian      W ~ N(0, s² / I),          b = 0
    orthogonal    W = s Q,  Q'Q = 1 or QQ' = 1,  b = 0   keeps lengths, where I = O

References:
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
        networks, AISTATS.
    Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep
        linear neural networks, ICLR, arXiv:1312.6120.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightning_modules.registry import UnknownNameError, nearest

_Draw = Callable[[Tensor, float], Tensor]

STARTS: dict[str, _Draw] = {
    "uniform": lambda W_OI, s: nn.init.uniform_(W_OI, -s, s),
    "fan_in": lambda W_OI, s: nn.init.uniform_(W_OI, -s * _fan(W_OI), s * _fan(W_OI)),
    "normalised": nn.init.xavier_uniform_,
    "gaussian": lambda W_OI, s: nn.init.normal_(W_OI, 0.0, s * _fan(W_OI)),
    "orthogonal": nn.init.orthogonal_,
}
"""Each draws W in place, by its scale."""


@torch.no_grad()
def start(network: nn.Module, name: str, scale: float = 1.0) -> None:
    """Draw the weights and biases of every affine layer anew, in place.

    Raises:
        UnknownNameError: ``name`` is none of ``STARTS``.
        ValueError: ``scale`` is not finite and above 0, or there is no such layer.
    """
    if name not in STARTS:
        raise UnknownNameError(f"{name!r} is not one of the starts: {nearest(name, STARTS)}")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale is {scale}: it must be finite and above 0")
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ValueError(f"{type(network).__name__} has no affine layer to start")
    for layer in layers:
        STARTS[name](layer.weight, scale)
        if name == "uniform":
            nn.init.uniform_(layer.bias, -scale, scale)
        else:
            nn.init.zeros_(layer.bias)


def _fan(W_OI: Tensor) -> float:
    """Return 1/√I."""
    return W_OI.shape[1] ** -0.5
