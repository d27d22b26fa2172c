"""One round of a game: both players' losses on one batch, each computed when first asked for.

    d = D(x, y)        g = D(G(z, y), y)
    plain_D, plain_G    the losses
    loss_D, loss_G      the same plus the regularisers' terms; each player minimises its own

All are in one autograd graph. A player's gradient is that of its own loss by its own weights, with
the other's held fixed: ``torch.autograd.grad(round.loss_D, round.weights_D)``.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.adversaries.losses._loss import GameLoss
from lightning_modules.adversaries.regularisers._regulariser import Regulariser


class Game(NamedTuple):
    """The players, their losses, and the regularisers of these."""

    adversary: Adversary
    loss: GameLoss
    regularisers: Sequence[Regulariser] = ()


class Round:
    """Scores and losses of both players on a batch of data and of latent vectors."""

    def __init__(self, game: Game, x_BI: Tensor, y_B: Tensor, z_BZ: Tensor):
        """``y_B`` are the classes of the data; samples of the same classes are generated."""
        self.game, self.x_BI, self.y_B, self.z_BZ = game, x_BI, y_B, z_BZ

    @functools.cached_property
    def weights_D(self) -> list[nn.Parameter]:  # noqa: N802
        """The discriminator's trainable weights."""
        return [w for w in self.game.adversary.discriminator.parameters() if w.requires_grad]

    @functools.cached_property
    def weights_G(self) -> list[nn.Parameter]:  # noqa: N802
        """The generator's trainable weights."""
        return [w for w in self.game.adversary.generator.parameters() if w.requires_grad]

    @functools.cached_property
    def shown_data_BI(self) -> Tensor:  # noqa: N802
        """The data as D sees them, (B, I), with noise if a regulariser adds it.

        They require a gradient, so that scores can be differentiated by them.
        """
        return self._shown(self.x_BI).detach().requires_grad_()

    @functools.cached_property
    def d_B(self) -> Tensor:  # noqa: N802
        """The scores of data, (B,)."""
        return self.game.adversary.discriminate(self.shown_data_BI, self.y_B)

    @functools.cached_property
    def g_B(self) -> Tensor:  # noqa: N802
        """The scores of generated samples, (B,)."""
        made_BI = self.game.adversary.generate(self.z_BZ, self.y_B)
        return self.game.adversary.discriminate(self._shown(made_BI), self.y_B)

    @functools.cached_property
    def plain_D(self) -> Tensor:  # noqa: N802
        """The discriminator's loss without regularisers."""
        return self.game.loss.discriminator(self.d_B, self.g_B)

    @functools.cached_property
    def plain_G(self) -> Tensor:  # noqa: N802
        """The generator's loss without regularisers."""
        return self.game.loss.generator(self.g_B)

    @functools.cached_property
    def loss_D(self) -> Tensor:  # noqa: N802
        """The loss that the discriminator minimises."""
        return self.plain_D + sum(of.on_discriminator(self) for of in self.game.regularisers)

    @functools.cached_property
    def loss_G(self) -> Tensor:  # noqa: N802
        """The loss that the generator minimises."""
        return self.plain_G + sum(of.on_generator(self) for of in self.game.regularisers)

    def _shown(self, x_BI: Tensor) -> Tensor:
        for of in self.game.regularisers:
            x_BI = of.shown(x_BI)
        return x_BI
