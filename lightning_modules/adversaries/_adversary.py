"""The contract of two players: a generator makes samples, a discriminator tells them from data.

    x = G(z, y)        z ~ N(0, 1)        D(x, y) > 0: D takes x for data

The players share no weights. A sample depends only on its own z and y, and a score only on its own
x and y, not on the rest of the batch.

Shape letters beside those of ``interfaces.py``:
    I entries of a sample    Z entries of the latent vector    Y classes that G can be asked for
"""

import abc

from torch import Tensor, nn


class Adversary(nn.Module, abc.ABC):
    """A generator and a discriminator.

    Attributes:
        generator, discriminator: the players; each has weights of its own.
        sample_size, latent_size: I and Z; if Z is 0, all samples are equal.
        classes: Y; 1 for players without classes.
    """

    generator: nn.Module
    discriminator: nn.Module
    sample_size: int
    latent_size: int
    classes: int

    @abc.abstractmethod
    def generate(self, z_BZ: Tensor, y_B: Tensor) -> Tensor:
        """Return a sample of each class in ``y_B``, (B, I)."""

    @abc.abstractmethod
    def discriminate(self, x_BI: Tensor, y_B: Tensor) -> Tensor:
        """Return the scores, (B,): log odds that a sample is data of its class."""
