"""The non-saturating game: G maximises log σ(g) instead of minimising log(1 - σ(g)).

    L_D = -E log σ(d) - E log(1 - σ(g))        L_G = -E log σ(g)

Its fixed points are those of the saturating game, but the generator's gradient does not vanish
where D is sure that samples are generated. It is not a zero-sum game.

Cost: one exponential a score.

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville & Bengio (2014),
        Generative adversarial nets, NeurIPS, arXiv:1406.2661, section 3.
"""

from typing import final

from torch import Tensor
from torch.nn.functional import softplus

from lightning_modules.adversaries.losses._loss import GameLoss


@final
class NonSaturating(GameLoss):
    """D's loss is cross-entropy, G's the same with the labels of its samples swapped."""

    def discriminator(self, d_B: Tensor, g_B: Tensor) -> Tensor:
        """Return E log(1 + e^-d) + E log(1 + e^g)."""
        return softplus(-d_B).mean() + softplus(g_B).mean()

    def generator(self, g_B: Tensor) -> Tensor:
        """Return E log(1 + e^-g)."""
        return softplus(-g_B).mean()
