"""The contract of what steadies a game: a penalty on a player's loss, or noise before D's eyes.

Each leaves what it does not say as it is, so that several may act on one game.
"""

import abc
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from lightning_modules.adversaries._round import Round


class Regulariser(abc.ABC):  # noqa: B024 - each of its three parts may be left as it is
    """What is done to a game beside its losses."""

    def shown(self, x_BI: Tensor) -> Tensor:
        """Return what the discriminator is shown of samples, data and generated ones alike."""
        return x_BI

    def on_discriminator(self, played: "Round") -> Tensor | float:
        """Return what is added to the discriminator's loss."""
        del played
        return 0.0

    def on_generator(self, played: "Round") -> Tensor | float:
        """Return what is added to the generator's loss."""
        del played
        return 0.0
