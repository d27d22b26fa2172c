"""R1: a penalty on the discriminator's slope at data.

    L_D + γ/2 E ‖∂D/∂x‖²        at data x

The Dirac-GAN's eigenvalues become -γ/2 ± √(γ²/4 - ¼). Simultaneous steps of size h then converge
where γ > h/4, for γ up to 1.

Cost: one more backward pass through D, and a second derivative of it.

References:
    Mescheder, Geiger & Nowozin (2018), Which training methods for GANs do actually converge?,
        ICML, arXiv:1801.04406, sections 3 and 4.
"""

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lightning_modules.adversaries.regularisers._regulariser import Regulariser
from lightning_modules.checks import above

if TYPE_CHECKING:
    from lightning_modules.adversaries._round import Round


@final
class R1(Regulariser):
    """The penalty on D's slope at data."""

    def __init__(self, weight: float):
        """``weight`` is γ."""
        above(0, weight=weight)
        self.weight = weight

    def on_discriminator(self, played: "Round") -> Tensor:
        """Return γ/2 E ‖∂D/∂x‖²."""
        d_B, x_BI = played.d_B, played.shown_data_BI
        (slope_BI,) = torch.autograd.grad(d_B.sum(), x_BI, create_graph=True)
        return self.weight / 2 * slope_BI.pow(2).sum() / len(x_BI)
