"""The contract of regularisers of a game: penalties on players' losses, or noise on D's input.

Each method's default changes nothing, so several regularisers can act on one game.
"""

import abc
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from lightning_modules.adversaries._round import Round


class Regulariser(abc.ABC):  # noqa: B024 - each of its three parts may be left as it is
    """A change of a game beyond the choice of its losses."""

    def shown(self, x_BI: Tensor) -> Tensor:
        """Return samples as the discriminator sees them, (B, I); data and generated ones alike."""
        return x_BI

    def on_discriminator(self, played: "Round") -> Tensor | float:
        """Return the term added to the discriminator's loss, a scalar."""
        del played
        return 0.0

    def on_generator(self, played: "Round") -> Tensor | float:
        """Return the term added to the generator's loss, a scalar."""
        del played
        return 0.0
