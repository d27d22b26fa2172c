"""Example: scores are to be near labels; your losses here.

    L_D = ½ E (d - 1)² + ½ E (g + 1)²        L_G = ½ E (g - 1)²

No game of zero sum. A sample that D surely takes for data still has a gradient: it is pulled back.

Differs from the paper: labels are -1 and 1 in place of 0 and 1, so that a score above 0 says data.

Cost: a square a score.

References:
    Mao, Li, Xie, Lau, Wang & Smolley (2017), Least squares generative adversarial networks, ICCV,
        arXiv:1611.04076, section 3.2.
"""

from typing import final

from torch import Tensor

from lightning_modules.adversaries.losses._loss import GameLoss


@final
class Example(GameLoss):
    """Squared distances from labels."""

    def discriminator(self, d_B: Tensor, g_B: Tensor) -> Tensor:
        """Return ½ E (d - 1)² + ½ E (g + 1)²."""
        return ((d_B - 1).square().mean() + (g_B + 1).square().mean()) / 2

    def generator(self, g_B: Tensor) -> Tensor:
        """Return ½ E (g - 1)²."""
        return (g_B - 1).square().mean() / 2
