"""The generator goes up what D thinks of its samples, rather than down what D thinks against them.

    L_D = -E log σ(d) - E log(1 - σ(g))        L_G = -E log σ(g)

The same fixed points as the saturating game; the generator's gradient lives where D is sure. It is
no game of zero sum.

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
    """Cross-entropy, and that of the other label."""

    def discriminator(self, d_B: Tensor, g_B: Tensor) -> Tensor:
        """Return E log(1 + e^-d) + E log(1 + e^g)."""
        return softplus(-d_B).mean() + softplus(g_B).mean()

    def generator(self, g_B: Tensor) -> Tensor:
        """Return E log(1 + e^-g)."""
        return softplus(-g_B).mean()
