"""Instance noise: the discriminator sees data and generated samples with noise added.

    D(x + ε)        ε ~ N(0, σ²), drawn anew for each sample

The distributions of data and samples then always overlap, so the best D is nowhere certain. On
average over the noise the Dirac-GAN's eigenvalues become -σ²/4 ± √(σ⁴/16 - ¼).

Cost: a random number for each entry of a sample.

References:
    Sønderby, Caballero, Theis, Shi & Huszár (2017), Amortised MAP inference for image
        super-resolution, ICLR, arXiv:1610.04490.
    Arjovsky & Bottou (2017), Towards principled methods for training generative adversarial
        networks, ICLR, arXiv:1701.04862.
    Mescheder, Geiger & Nowozin (2018), ICML, arXiv:1801.04406, section 3: the Dirac-GAN.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.adversaries.regularisers._regulariser import Regulariser
from lightning_modules.checks import above


@final
class InstanceNoise(Regulariser):
    """Gaussian noise on D's input."""

    def __init__(self, spread: float):
        """``spread`` is σ."""
        above(0, spread=spread)
        self.spread = spread

    def shown(self, x_BI: Tensor) -> Tensor:
        """Return x + ε."""
        return x_BI + self.spread * torch.randn_like(x_BI)
