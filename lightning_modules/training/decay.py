"""Decay of weights: a pull towards zero at every update, beside the gradient's.

    l2    w <- w - η strength w              descent on strength/2 Σ w²
    l1    w <- w - η strength sign(w)        descent on strength Σ |w|, by a subgradient

η is the learning rate, w the weights that the gradient was taken at. The pull comes before the
optimizer's step and is separate from the gradient: it is never clipped, nor scaled by the
optimizer. With ``sgd`` l2 is torch's ``weight_decay``, with ``adam`` it is that of AdamW. All
weights that train decay, biases too; a weight that is frozen or has no gradient stays as it is.

References:
    Krogh & Hertz (1991), A simple weight decay can improve generalization, NeurIPS.
    Tibshirani (1996), Regression shrinkage and selection via the lasso, J. Royal Statistical
        Society B 58(1).
    Loshchilov & Hutter (2019), Decoupled weight decay regularization, ICLR, arXiv:1711.05101.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import above
from lightning_modules.registry import nearest


@final
@dataclasses.dataclass(frozen=True)
class Decay:
    """How weights decay; ValueError for a kind or strength that cannot be."""

    kind: Literal["l2", "l1"]
    strength: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind of decay {self.kind!r} is unknown: {nearest(self.kind, KINDS)}")
        above(0, strength=self.strength)

    @torch.no_grad()
    def __call__(self, weights: Sequence[nn.Parameter], learning_rate: float) -> None:
        """Pull those of the weights that train and have a gradient, in place."""
        for w in weights:
            if not w.requires_grad or w.grad is None:
                continue
            w.sub_(KINDS[self.kind](w), alpha=learning_rate * self.strength)


KINDS: dict[str, Callable[[Tensor], Tensor]] = {"l2": torch.Tensor.detach, "l1": torch.sign}
"""What the pull is proportional to."""
