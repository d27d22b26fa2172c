"""Consensus: both players also minimise the squared length of the game's vector field.

    v = -(∂L_D/∂w_D, ∂L_G/∂w_G)        L_D + γ/2 ‖v‖²        L_G + γ/2 ‖v‖²

The Dirac-GAN's eigenvalues become -γ/4 ± i/2. Every zero of v stays a fixed point, even a saddle.

Cost: a backward pass for each player, kept in the graph, and one more through both of these.

References:
    Mescheder, Nowozin & Geiger (2017), The numerics of GANs, NeurIPS, arXiv:1705.10461.
"""

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lightning_modules.adversaries.regularisers._regulariser import Regulariser
from lightning_modules.checks import above

if TYPE_CHECKING:
    from lightning_modules.adversaries._round import Round


@final
class Consensus(Regulariser):
    """The penalty on the field's squared length."""

    def __init__(self, weight: float):
        """``weight`` is γ."""
        above(0, weight=weight)
        self.weight = weight

    def on_discriminator(self, played: "Round") -> Tensor:
        """Return γ/2 ‖v‖²."""
        return self._penalty(played)

    def on_generator(self, played: "Round") -> Tensor:
        """Return γ/2 ‖v‖²."""
        return self._penalty(played)

    def _penalty(self, played: "Round") -> Tensor:
        parts = [
            *torch.autograd.grad(played.plain_D, played.weights_D, create_graph=True),
            *torch.autograd.grad(played.plain_G, played.weights_G, create_graph=True),
        ]
        return self.weight / 2 * torch.stack([part.pow(2).sum() for part in parts]).sum()
