"""Two players learn against each other, each down its own loss by its own optimizer.

    alternating     D moves; then, on latent vectors drawn anew, G moves against the moved D
    simultaneous    both gradients are of the same weights and the same latent vectors

Each player's gradient is by its own weights alone. A batch's samples are data, its targets their
classes, and as many samples are generated of the same classes. With ``averaging`` β a second
generator follows the first,

    w̄ ← β w̄ + (1 - β) w        after each batch

and ``sampler`` samples from that one: players rotate around each other, their average does so less.

Losses in rows are the discriminator's, without what regularisers add; on held-out data its samples
are of latent vectors that are the same each time. The accuracy is the share of data and samples
that D tells apart rightly: ½ where it cannot.

References:
    Mescheder, Geiger & Nowozin (2018), Which training methods for GANs do actually converge?,
        ICML, arXiv:1801.04406: both orders; averaging in section 5.
    Yazıcı, Foo, Winkler, Yap, Piliouras & Chandrasekhar (2019), The unusual effectiveness of
        averaging in GAN training, ICLR, arXiv:1806.04498.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, final

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.adversaries._round import Game, Round
from lightning_modules.adversaries.losses._loss import GameLoss
from lightning_modules.adversaries.regularisers._regulariser import Regulariser
from lightning_modules.checks import above
from lightning_modules.instruments import Instrument, Update
from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.learner import OPTIMIZERS, Learner, Score
from lightning_modules.training.losses import counted_only

Gradients = list[Tensor]


@final
class AdversarialLearner(Learner):
    """An adversary whose players learn in turn or at once."""

    shows = frozenset({"games", "players", "updates"})

    def __init__(
        self,
        adversary: Adversary,
        loss: GameLoss,
        optimizer: str,
        learning_rate: float,
        regularisers: Sequence[Regulariser] = (),
        generator_rate: float | None = None,
        alternating: bool = True,
        momentum: float | None = None,
        averaging: float | None = None,
    ):
        """``generator_rate`` is the generator's learning rate, None the discriminator's.

        ``momentum`` is Adam's β1, None torch's default; ValueError for another optimizer.
        """
        super().__init__("cross_entropy", optimizer, learning_rate)
        if momentum is not None:
            above(0, or_equal=True, most=1, momentum=momentum)
            if optimizer != "adam":
                raise ValueError(f"momentum is {momentum}: it is Adam's alone, not {optimizer}'s")
        if averaging is not None:
            above(0, or_equal=True, most=1, averaging=averaging)
        self.generator_rate = learning_rate if generator_rate is None else generator_rate
        above(0, generator_rate=self.generator_rate)
        self.automatic_optimization = False
        self.adversary = adversary
        self.game = Game(adversary, loss, tuple(regularisers))
        self.alternating, self.momentum, self.averaging = alternating, momentum, averaging
        self.averaged: nn.Module | None = None
        if averaging is not None:
            self.averaged = copy.deepcopy(adversary.generator).requires_grad_(False)

    def begin(self, task: Task) -> None:
        """Refuse a task that streams, or whose samples or classes are not the players'."""
        super().begin(task)
        own = self.adversary
        if task.streams:
            raise ValueError("the task streams, but players keep no state: give them samples")
        if task.input_size != own.sample_size:
            raise ValueError(
                f"the task's samples have {task.input_size} entries, the players' "
                f"{own.sample_size}: give both the same"
            )
        if own.classes > 1 and task.output_size != own.classes:
            raise ValueError(
                f"the task has {task.output_size} classes, the players know {own.classes}: "
                "give both the same"
            )

    def described(self) -> dict[str, Any]:
        """Add the game and how it is played."""
        return {
            **super().described(),
            "game": self.game,
            "generator_rate": self.generator_rate,
            "alternating": self.alternating,
            "momentum": self.momentum,
            "averaging": self.averaging,
            "averaged": self.averaged,
        }

    def configure_optimizers(self) -> Any:
        """Return the discriminator's optimizer, then the generator's."""
        self.moved = list(self.adversary.parameters())
        self.names = [name for name, _ in self.adversary.named_parameters()]
        more = {} if self.momentum is None else {"betas": (self.momentum, 0.999)}
        kind: Any = OPTIMIZERS[self.optimizer]
        return [
            kind(self.adversary.discriminator.parameters(), lr=self.learning_rate, **more),
            kind(self.adversary.generator.parameters(), lr=self.generator_rate, **more),
        ]

    def training_step(self, batch: Batch, index: int) -> None:
        """Have both players move."""
        x_BI, y_B = counted_only(batch.x_TBI, batch.y_TB, batch.mask_TB)
        if not len(x_BI):
            raise ValueError(f"batch {index} counts no sample: there is nothing to learn from it")
        due = self.due() if self.probes else []
        played = self._round(x_BI, y_B)
        for probe in due:
            if "games" in probe.sees:
                probe.passed(played)
        showing = [probe for probe in due if probe.sees & {"players", "updates"}]
        before = [w.detach().clone() for w in self.moved] if showing else []
        of_D = _gradients(played.loss_D, played.weights_D)
        loss = played.plain_D.detach()
        if self.alternating:
            self._move(0, played.weights_D, of_D)
            played = self._round(x_BI, y_B)
            of_G = _gradients(played.loss_G, played.weights_G)
        else:
            of_G = _gradients(played.loss_G, played.weights_G)
            self._move(0, played.weights_D, of_D)
        self._move(1, played.weights_G, of_G)
        self._follow()
        if showing:
            weights = [*played.weights_D, *played.weights_G]
            found = zip(weights, [*of_D, *of_G], strict=True)
            self._show(showing, before, {id(w): g for w, g in found})
        self.books.note(batch.x_TBI.shape[1], loss * len(x_BI), len(x_BI))

    def sampler(self) -> Adversary:
        """Return a copy of the players, with the averaged generator where there is one."""
        copied = copy.deepcopy(self.adversary)
        if self.averaged is not None:
            copied.generator.load_state_dict(self.averaged.state_dict())
        return copied

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Return the scores of data."""
        for batch in batches:
            d_TB = self.adversary.discriminate(batch.x_TBI.flatten(0, 1), batch.y_TB.flatten())
            yield batch, d_TB.view(*batch.y_TB.shape, 1)

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Return the discriminator's loss, and how often it tells data from samples."""
        loss, right, counted = 0.0, 0, 0
        random = torch.Generator().manual_seed(0)
        for whole in batches:
            batch = self.transfer_batch_to_device(whole, self.device)
            x_BI, y_B = counted_only(batch.x_TBI, batch.y_TB, batch.mask_TB)
            z_BZ = torch.randn(len(x_BI), self.adversary.latent_size, generator=random)
            played = Round(self.game._replace(regularisers=()), x_BI, y_B, z_BZ.to(x_BI))
            loss += float(played.plain_D) * len(x_BI)
            right += int((played.d_B > 0).sum() + (played.g_B <= 0).sum())
            counted += len(x_BI)
        return Score(loss / counted, right / (2 * counted)) if counted else Score(None, None)

    def _round(self, x_BI: Tensor, y_B: Tensor) -> Round:
        """Return a round with latent vectors drawn from the run's random generator."""
        z_BZ = torch.randn(len(x_BI), self.adversary.latent_size)
        return Round(self.game, x_BI, y_B, z_BZ.to(x_BI))

    def _move(self, player: int, weights: list[nn.Parameter], gradients: Gradients) -> None:
        """Have one player's optimizer move its weights."""
        optimizers = self.optimizers()
        assert isinstance(optimizers, list)
        optimizer = optimizers[player]
        assert isinstance(optimizer, LightningOptimizer)
        for w, g in zip(weights, gradients, strict=True):
            w.grad = g
        optimizer.step()
        optimizer.zero_grad()

    @torch.no_grad()
    def _follow(self) -> None:
        """Have the second generator follow the first."""
        if self.averaged is None or self.averaging is None:
            return
        pairs = zip(self.averaged.parameters(), self.adversary.generator.parameters(), strict=True)
        for behind, w in pairs:
            behind.lerp_(w, 1 - self.averaging)

    def _show(self, probes: list[Instrument], before: Gradients, found: dict[int, Tensor]) -> None:
        """Show both moves as one update."""
        named = zip(self.names, self.moved, before, strict=True)
        moved = [(name, w, b) for name, w, b in named if id(w) in found]
        raw = [found[id(w)] for _, w, _ in moved]
        after = [w.detach() for _, w, _ in moved]
        update = Update([n for n, _, _ in moved], [b for *_, b in moved], after, raw, raw, None)
        for probe in probes:
            probe.updated(update)


def _gradients(loss: Tensor, weights: list[nn.Parameter]) -> Gradients:
    """Return a loss's gradient by some weights; the graph stays, for the other player."""
    if not weights:
        return []
    return list(torch.autograd.grad(loss, weights, retain_graph=True))
