"""The contract of two players: a generator makes samples, a discriminator tells them from data.

    x = G(z, y)        z ~ N(0, 1)        D(x, y) > 0: taken for data

The players share no weight. A sample depends on its own z and y alone, a score on its own x and y:
neither on what else is in the batch.

Shape letters beside those of ``interfaces.py``:
    I entries of a sample    Z of the latent vector    Y classes that are asked for
"""

import abc

from torch import Tensor, nn


class Adversary(nn.Module, abc.ABC):
    """A generator and a discriminator.

    Attributes:
        generator, discriminator: the players; each has weights of its own.
        sample_size, latent_size: I and Z; Z may be 0, then all samples are one.
        classes: Y; 1 where nothing is asked for.
    """

    generator: nn.Module
    discriminator: nn.Module
    sample_size: int
    latent_size: int
    classes: int

    @abc.abstractmethod
    def generate(self, z_BZ: Tensor, y_B: Tensor) -> Tensor:
        """Return samples of the classes that are asked for, (B, I)."""

    @abc.abstractmethod
    def discriminate(self, x_BI: Tensor, y_B: Tensor) -> Tensor:
        """Return how surely samples are data of their class, as log odds, (B,)."""
