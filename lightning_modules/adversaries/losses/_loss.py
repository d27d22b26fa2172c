"""The losses of both players as functions of the discriminator's scores.

d are the scores of data and g those of generated samples: log odds that a sample is data. Each
player minimises its own loss. The value of the game, which D maximises in the original GAN, is

    V(D, G) = E log σ(d) + E log(1 - σ(g))

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville & Bengio (2014),
        Generative adversarial nets, NeurIPS, arXiv:1406.2661.
"""

import abc

from torch import Tensor


class GameLoss(abc.ABC):
    """A pair of losses, each the mean over its scores."""

    @abc.abstractmethod
    def discriminator(self, d_B: Tensor, g_B: Tensor) -> Tensor:
        """Return the loss that the discriminator minimises, a scalar."""

    @abc.abstractmethod
    def generator(self, g_B: Tensor) -> Tensor:
        """Return the loss that the generator minimises, a scalar."""
