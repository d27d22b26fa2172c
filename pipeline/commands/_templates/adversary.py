"""Example: a linear generator, a quadratic discriminator; your players here.

    G(z) = W z        D(x) = x'A x + c

D sees second moments alone, so it is a game about the covariance of data whose mean is zero.
Classes are not seen: what is asked for makes no difference.

Cost: O(I Z + I²) a sample.

References:
    Feizi, Farnia, Ginart & Tse (2020), Understanding GANs in the LQG setting: formulation,
        generalization and stability, IEEE Journal on Selected Areas in Information Theory 1(1).
"""

from typing import final

from torch import Tensor, nn

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.checks import whole


@final
class Example(Adversary):
    """A matrix against a quadratic form."""

    classes = 1

    def __init__(self, sample_size: int, latent_size: int):
        """Build the players; ValueError if a size is not a whole number from 1 on."""
        super().__init__()
        whole(1, sample_size=sample_size, latent_size=latent_size)
        self.sample_size, self.latent_size = sample_size, latent_size
        self.generator = nn.Linear(latent_size, sample_size, bias=False)
        self.discriminator = nn.Bilinear(sample_size, sample_size, 1)

    def generate(self, z_BZ: Tensor, y_B: Tensor) -> Tensor:
        """Return W z, (B, I)."""
        del y_B
        return self.generator(z_BZ)

    def discriminate(self, x_BI: Tensor, y_B: Tensor) -> Tensor:
        """Return x'A x + c, (B,)."""
        del y_B
        return self.discriminator(x_BI, x_BI).squeeze(1)
