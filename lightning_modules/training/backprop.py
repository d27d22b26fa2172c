"""Learning by ordinary back-propagation: automatic differentiation of a network x -> y.

Probes see its updates, and of all modules without children the outputs h and ∂L/∂h.
"""

from collections.abc import Iterable, Iterator
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Batch, Task
from lightning_modules.probes._outputs import Watched
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.learner import Learner
from lightning_modules.training.losses import counted_only
from lightning_modules.training.modes import evaluating
from lightning_modules.training.showing import Move, that_train


@final
class BackpropLearner(Learner):
    """A network from x_TBI to outputs, (T, B, O), updated once a batch."""

    shows = frozenset({"modules", "outputs", "updates"})

    def __init__(
        self,
        network: nn.Module,
        loss: str,
        optimizer: str,
        learning_rate: float,
        clip: Clip | None = None,
        decay: Decay | None = None,
        anneal: bool = False,
    ):
        """Train all parameters of ``network``.

        ``anneal`` lets the rate fall to 0 over the run, as half a cosine does; ValueError together
        with ``decay``, which would not fall with it.
        """
        super().__init__(loss, optimizer, learning_rate, clip, decay)
        if anneal and decay is not None:
            raise ValueError("anneal and decay were both given: decay keeps to a constant rate")
        self.network, self.anneal = network, anneal
        self._due: list[Instrument] = []

    def begin(self, task: Task) -> None:
        """Refuse a task that streams: a network keeps no state from batch to batch."""
        super().begin(task)
        if task.streams:
            raise ValueError("the task streams, but a network keeps no state: use SequenceLearner")

    def described(self) -> dict[str, Any]:
        """Add the network, and whether the rate falls."""
        return {**super().described(), "network": self.network, "anneal": self.anneal}

    def configure_optimizers(self) -> Any:
        """Return the optimizer, and the schedule of its rate where that is annealed."""
        optimizer = super().configure_optimizers()
        if not self.anneal:
            return optimizer
        fall = CosineAnnealingLR(optimizer, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": fall, "interval": "step"}}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the mean loss over the counted outputs."""
        self._due = self.due() if self.probes else []
        with Watched(self.network, self._due) as self._watched:
            z_TBO = self.network(batch.x_TBI)
        z_NO, y_N = counted_only(z_TBO, batch.y_TB, batch.mask_TB)
        if not len(z_NO):
            raise ValueError(f"batch {index} counts no output: there is nothing to learn from it")
        loss = self.loss.value(z_NO, y_N)
        if not loss.requires_grad:
            raise ValueError("no weight of the network trains: all that it uses are frozen")
        self.books.note(batch.x_TBI.shape[1], loss.detach(), len(z_NO))
        return loss / len(z_NO)

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Apply the network in evaluation mode."""
        for batch in batches:
            with evaluating(self.network):
                z_TBO = self.network(batch.x_TBI)
            yield batch, z_TBO

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Note the weights and gradients before they change."""
        if self._due:
            self._watched.show()
            names, weights = that_train(self.names, self.moved)
            gradients = [w.grad for w in weights if w.grad is not None]
            self._move = Move(self._due, names, weights, gradients, self.clip)

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        """Clip and decay as this learner was told to; the gradient is there by now."""
        self.clip_and_decay(self.moved)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Update, and show that."""
        super().optimizer_step(*args, **kwargs)
        if self._due:
            self._move.done()
            del self._move  # and with it a copy of all weights
