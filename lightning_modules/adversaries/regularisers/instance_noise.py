"""Instance noise: the discriminator sees data and generated samples through noise.

    D(x + ε)        ε ~ N(0, σ²), drawn anew for each sample

so that the two always overlap and D's best answer is nowhere sure. Of the Dirac-GAN, on average
over the noise, the eigenvalues become -σ²/4 ± √(σ⁴/16 - ¼).

Cost: a random number an entry.

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
    """Gaussian noise before D's eyes."""

    def __init__(self, spread: float):
        """``spread`` is σ."""
        above(0, spread=spread)
        self.spread = spread

    def shown(self, x_BI: Tensor) -> Tensor:
        """Return x + ε."""
        return x_BI + self.spread * torch.randn_like(x_BI)
