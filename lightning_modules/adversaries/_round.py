"""One round of a game: both players' losses of one batch, worked out as far as they are asked for.

    d = D(x, y)        g = D(G(z, y), y)
    plain_D, plain_G    the losses
    loss_D, loss_G      the same with what regularisers add: what the players go down

Everything hangs in one graph, so either player's gradient is that of its loss by its own weights,
with the other's held: ``torch.autograd.grad(round.loss_D, round.weights_D)``.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.adversaries.losses._loss import GameLoss
from lightning_modules.adversaries.regularisers._regulariser import Regulariser


class Game(NamedTuple):
    """Who plays, for what, and what steadies it."""

    adversary: Adversary
    loss: GameLoss
    regularisers: Sequence[Regulariser] = ()


class Round:
    """A batch of data and of latent vectors, as both players see it."""

    def __init__(self, game: Game, x_BI: Tensor, y_B: Tensor, z_BZ: Tensor):
        """``y_B`` are the classes of the data, and those that are asked for."""
        self.game, self.x_BI, self.y_B, self.z_BZ = game, x_BI, y_B, z_BZ

    @functools.cached_property
    def weights_D(self) -> list[nn.Parameter]:  # noqa: N802
        """What the discriminator moves."""
        return [w for w in self.game.adversary.discriminator.parameters() if w.requires_grad]

    @functools.cached_property
    def weights_G(self) -> list[nn.Parameter]:  # noqa: N802
        """What the generator moves."""
        return [w for w in self.game.adversary.generator.parameters() if w.requires_grad]

    @functools.cached_property
    def shown_data_BI(self) -> Tensor:  # noqa: N802
        """What D sees of the data; its scores can be differentiated by it."""
        return self._shown(self.x_BI).detach().requires_grad_()

    @functools.cached_property
    def d_B(self) -> Tensor:  # noqa: N802
        """The scores of data."""
        return self.game.adversary.discriminate(self.shown_data_BI, self.y_B)

    @functools.cached_property
    def g_B(self) -> Tensor:  # noqa: N802
        """The scores of generated samples."""
        made_BI = self.game.adversary.generate(self.z_BZ, self.y_B)
        return self.game.adversary.discriminate(self._shown(made_BI), self.y_B)

    @functools.cached_property
    def plain_D(self) -> Tensor:  # noqa: N802
        """The discriminator's loss."""
        return self.game.loss.discriminator(self.d_B, self.g_B)

    @functools.cached_property
    def plain_G(self) -> Tensor:  # noqa: N802
        """The generator's loss."""
        return self.game.loss.generator(self.g_B)

    @functools.cached_property
    def loss_D(self) -> Tensor:  # noqa: N802
        """What the discriminator goes down."""
        return self.plain_D + sum(of.on_discriminator(self) for of in self.game.regularisers)

    @functools.cached_property
    def loss_G(self) -> Tensor:  # noqa: N802
        """What the generator goes down."""
        return self.plain_G + sum(of.on_generator(self) for of in self.game.regularisers)

    def _shown(self, x_BI: Tensor) -> Tensor:
        for of in self.game.regularisers:
            x_BI = of.shown(x_BI)
        return x_BI
