"""The Wasserstein game on plain scores: the dual of that distance, if D's slope is at most 1.

    L_D = E g - E d        L_G = -E g

Differs from the paper: nothing bounds D's slope here. The paper clips D's weights; a regulariser
can take the place of that.

Cost: a mean.

References:
    Arjovsky, Chintala & Bottou (2017), Wasserstein GAN, ICML, arXiv:1701.07875.
"""

from typing import final

from torch import Tensor

from lightning_modules.adversaries.losses._loss import GameLoss


@final
class Wasserstein(GameLoss):
    """The difference of mean scores."""

    def discriminator(self, d_B: Tensor, g_B: Tensor) -> Tensor:
        """Return E g - E d."""
        return g_B.mean() - d_B.mean()

    def generator(self, g_B: Tensor) -> Tensor:
        """Return -E g."""
        return -g_B.mean()
