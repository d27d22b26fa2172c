"""Clipping a gradient before it moves the weights.

    norm        g <- g min(1, threshold / (‖g‖ + ε))                g: all weights' together
    value       g <- min(max(g, -threshold), threshold)             entry by entry
    adaptive    g_i <- g_i min(1, threshold max(‖w_i‖, 1e-3) / ‖g_i‖)     i: a unit, a row of w

Where w is a vector, such as a bias, it is one unit as a whole. ε is a millionth of the threshold,
and 1e-6 at most: a clipped gradient is never longer than the threshold, and equals it to six
digits. From a threshold of 1 on that is torch's ``clip_grad_norm_``, whose ε is always 1e-6.

Weights that are frozen, or have no gradient, are not counted. Norms do not overflow or underflow,
not even that of (3e20, 4e20) in float32. A gradient that contains inf or NaN has no direction that
could be kept: by norm and by unit it is left as it is, and the weights that it moves end the run as
diverged; by value inf becomes the threshold, and NaN stays.

References:
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML.
    Mikolov (2012), Statistical language models based on neural networks, PhD thesis, Brno.
    Brock, De, Smith & Simonyan (2021), High-performance large-scale image recognition without
        normalization, ICML, arXiv:2102.06171: adaptive; they leave out the last linear layer.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import above
from lightning_modules.norms import joint, norm, scaled
from lightning_modules.registry import nearest

SMALLEST = 1e-3
"""The least norm that a unit's weights count as, so that a unit at zero can leave zero."""


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
        above(0, threshold=self.threshold)

    @torch.no_grad()
    def __call__(self, weights: Sequence[nn.Parameter]) -> None:
        """Clip the ``.grad`` of those weights that train, in place."""
        train = [w for w in weights if w.requires_grad and w.grad is not None and w.numel()]
        if train:
            KINDS[self.kind](train, [_gradient(w) for w in train], self.threshold)


def _by_norm(
    weights: Sequence[nn.Parameter], gradients: Sequence[Tensor], threshold: float
) -> None:
    del weights
    largest = torch.stack([g.abs().amax() for g in gradients])
    scale = scaled(largest)[1].squeeze()
    size = joint([g / scale for g in gradients])
    factor = (size + 1e-6 * min(1.0, threshold) / scale).reciprocal() * threshold
    clips = size.isfinite() & (factor < scale)
    for g in gradients:
        _shorten(g, clips, scale, factor)


def _by_value(
    weights: Sequence[nn.Parameter], gradients: Sequence[Tensor], threshold: float
) -> None:
    del weights
    for g in gradients:
        most = min(threshold, torch.finfo(g.dtype).max)
        g.clamp_(-most, most)


def _by_unit(
    weights: Sequence[nn.Parameter], gradients: Sequence[Tensor], threshold: float
) -> None:
    for w, g in zip(weights, gradients, strict=True):
        axes = tuple(range(1, w.dim())) or None
        most = threshold * norm(w, axes, keepdim=True).clamp_min(SMALLEST)
        unit, scale = scaled(g, axes)
        size = norm(unit, axes, keepdim=True)
        _shorten(g, size.isfinite() & (size * scale > most), scale, most / size)


def _shorten(g: Tensor, clips: Tensor, scale: Tensor, factor: Tensor) -> None:
    """Multiply g / scale, of ordinary size, by ``factor`` where it clips; else leave g alone."""
    g.mul_(torch.where(clips, scale.reciprocal(), 1.0)).mul_(torch.where(clips, factor, 1.0))


def _gradient(w: nn.Parameter) -> Tensor:
    assert w.grad is not None
    return w.grad


KINDS: dict[str, Callable[[Sequence[nn.Parameter], Sequence[Tensor], float], None]] = {
    "norm": _by_norm,
    "value": _by_value,
    "adaptive": _by_unit,
}
