"""What learners by automatic differentiation share: a falling rate, and updates shown to probes.

Lightning runs the backward pass and the optimizer; in between, gradients are clipped and probes
look.
"""

import abc
from typing import Any

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_modules.instruments import Instrument
from lightning_modules.training.learner import Learner
from lightning_modules.training.showing import Move, that_train


class AutomaticLearner(Learner, abc.ABC):
    """A learner whose ``training_step`` returns a loss, and says in ``_due`` which probes look."""

    _due: list[Instrument]

    @abc.abstractmethod
    def gone_back(self) -> None:
        """Show the probes in ``_due`` what came back in the backward pass."""

    def falling(self, optimizer: Any, to: float) -> Any:
        """Return the optimizer with a rate that falls over the run, as half a cosine does."""
        steps = int(self.trainer.estimated_stepping_batches)
        fall = CosineAnnealingLR(optimizer, steps, eta_min=to)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": fall, "interval": "step"}}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Note the weights and gradients before they change."""
        if self._due:
            self.gone_back()
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
