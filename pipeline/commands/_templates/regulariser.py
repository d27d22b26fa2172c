"""Example: D is to be flat where generated samples are; your own here.

    L_D + γ/2 E ‖∂D/∂x‖²        at generated samples x: R2

Of the Dirac-GAN the game's eigenvalues become -γ/2 ± √(γ²/4 - f'(0)²).

Cost: one more way back through D, and a second derivative of it.

References:
    Mescheder, Geiger & Nowozin (2018), Which training methods for GANs do actually converge?,
        ICML, arXiv:1801.04406, section 4.1.
"""

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lightning_modules.adversaries.regularisers._regulariser import Regulariser
from lightning_modules.checks import above

if TYPE_CHECKING:
    from lightning_modules.adversaries._round import Round


@final
class Example(Regulariser):
    """The penalty on D's slope at samples."""

    def __init__(self, weight: float):
        """``weight`` is γ."""
        above(0, weight=weight)
        self.weight = weight

    def on_discriminator(self, played: "Round") -> Tensor:
        """Return γ/2 E ‖∂D/∂x‖²."""
        players, y_B = played.game.adversary, played.y_B
        x_BI = players.generate(played.z_BZ, y_B).detach().requires_grad_()
        g_B = players.discriminate(x_BI, y_B)
        (slope_BI,) = torch.autograd.grad(g_B.sum(), x_BI, create_graph=True)
        return self.weight / 2 * slope_BI.pow(2).sum() / len(x_BI)
