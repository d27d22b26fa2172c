"""Clipping a gradient before it moves the weights.

    norm        g <- g min(1, threshold / ‖g‖)                      g: all weights' together
    value       g <- min(max(g, -threshold), threshold)             entry by entry
    adaptive    g_i <- g_i min(1, threshold max(‖w_i‖, 1e-3) / ‖g_i‖)     i: a unit, a row of w

Where w is a vector, such as a bias, it is one unit as a whole.

References:
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML.
    Mikolov (2012), Statistical language models based on neural networks, PhD thesis, Brno.
    Brock, De, Smith & Simonyan (2021), High-performance large-scale image recognition without
        normalization, ICML, arXiv:2102.06171: adaptive; they leave out the last linear layer.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Literal, final

import torch
from torch import Tensor, nn

from lightning_modules.registry import nearest

SMALLEST = 1e-3
"""What a unit's weights count as at least, so that a unit at zero can leave it."""


@final
@dataclasses.dataclass(frozen=True)
class Clip:
    """How gradients are clipped; ValueError for a kind or threshold that cannot be."""

    kind: Literal["norm", "value", "adaptive"]
    threshold: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"kind of clipping {self.kind!r} is unknown: {nearest(self.kind, KINDS)}"
            )
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise ValueError(f"threshold is {self.threshold}: it must be finite and above 0")

    def __call__(self, weights: Sequence[nn.Parameter]) -> None:
        """Clip the ``.grad`` of the weights in place; those without one are left out."""
        KINDS[self.kind]([w for w in weights if w.grad is not None], self.threshold)


def _by_norm(weights: list[nn.Parameter], threshold: float) -> None:
    nn.utils.clip_grad_norm_(weights, threshold)


def _by_value(weights: list[nn.Parameter], threshold: float) -> None:
    nn.utils.clip_grad_value_(weights, threshold)


@torch.no_grad()
def _by_unit(weights: list[nn.Parameter], threshold: float) -> None:
    for w in weights:
        assert w.grad is not None
        most = threshold * _by_row(w).clamp_min(SMALLEST)
        size = _by_row(w.grad)
        w.grad *= torch.where(size > most, most / size, 1.0)


def _by_row(w: Tensor) -> Tensor:
    """Return the norm of each row, or of the whole vector, its axes kept."""
    return torch.linalg.vector_norm(w, dim=tuple(range(1, w.dim())) or None, keepdim=True)


KINDS: dict[str, Callable[[list[nn.Parameter], float], None]] = {
    "norm": _by_norm,
    "value": _by_value,
    "adaptive": _by_unit,
}
