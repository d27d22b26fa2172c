"""The saturating game, as first stated: what one player gains from samples the other loses.

    L_D = -E log σ(d) - E log(1 - σ(g)) = -V        L_G = E log(1 - σ(g))

At the best D, V = -log 4 + 2 JSD(data, G). The name says that the generator's gradient vanishes
where D is sure that samples are generated. In Mescheder's notation f(t) = -log(1 + e^-t), and
L_G = E f(-g).

Cost: one exponential a score.

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville & Bengio (2014),
        Generative adversarial nets, NeurIPS, arXiv:1406.2661, equation 1, theorem 1.
"""

from typing import final

from torch import Tensor
from torch.nn.functional import softplus

from lightning_modules.adversaries.losses._loss import GameLoss


@final
class Saturating(GameLoss):
    """D's loss is cross-entropy, G's the negative of its part on generated samples."""

    def discriminator(self, d_B: Tensor, g_B: Tensor) -> Tensor:
        """Return E log(1 + e^-d) + E log(1 + e^g)."""
        return softplus(-d_B).mean() + softplus(g_B).mean()

    def generator(self, g_B: Tensor) -> Tensor:
        """Return -E log(1 + e^g)."""
        return -softplus(g_B).mean()
