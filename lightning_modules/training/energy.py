"""Learning by a symmetric network's own gradient, exact or estimated, under any optimizer.

    for each batch:    g, memory <- network.learn(x, t, memory)        clip g, update

All counted steps of a batch are its examples. Classes become targets of 1 for the class and 0 for
the others; values are taken as they are. Batches have no training loss: what is minimised is -ln p,
which is not computed. Held-out losses are of the network's ``outputs``: of the reconstructed input,
which is no likelihood, or of classes.

Probes see updates, and each batch's gradient with the samples that it was estimated by.
"""

from collections.abc import Iterable, Iterator
from typing import Any, final

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim.lr_scheduler import LinearLR

from lightning_modules.energies._energy import Energy
from lightning_modules.instruments import Estimated
from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.checkpoints import on_device
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.learner import Learner
from lightning_modules.training.losses import counted_only
from lightning_modules.training.showing import Move, that_train


@final
class EnergyLearner(Learner):
    """A network of ``energies``, updated once a batch."""

    shows = frozenset({"estimates", "updates"})

    def __init__(
        self,
        energy: Energy,
        loss: str,
        optimizer: str,
        learning_rate: float,
        clip: Clip | None = None,
        decay: Decay | None = None,
        anneal: bool = False,
    ):
        """``loss`` is the task's; with ``anneal`` the rate falls linearly to 0 over the run.

        ValueError for ``anneal`` together with ``decay``, which would not fall with it.
        """
        super().__init__(loss, optimizer, learning_rate, clip, decay)
        if anneal and decay is not None:
            raise ValueError("anneal and decay were both given: decay keeps to a constant rate")
        self.automatic_optimization = False
        self.energy, self.anneal, self.memory = energy, anneal, None

    def begin(self, task: Task) -> None:
        """Refuse a task that streams or whose sizes do not fit, and forget earlier batches."""
        super().begin(task)
        if task.streams:
            raise ValueError("the task streams, but an energy keeps no state: use SequenceLearner")
        own = self.energy.input_size, self.energy.output_size
        if own != (task.input_size, task.output_size):
            raise ValueError(
                f"the task has {task.input_size} inputs and {task.output_size} outputs, the "
                f"network {own[0]} and {own[1]}: build it with the task's"
            )
        self.memory: Any = None

    def described(self) -> dict[str, Any]:
        """Add the network, and whether the rate falls."""
        return {**super().described(), "energy": self.energy, "anneal": self.anneal}

    def configure_optimizers(self) -> Any:
        """Return the optimizer, and the schedule of its rate where that is annealed."""
        optimizer = super().configure_optimizers()
        if not self.anneal:
            return optimizer
        steps = int(self.trainer.estimated_stepping_batches)
        return [optimizer], [LinearLR(optimizer, 1.0, 0.0, steps)]

    @torch.no_grad()
    def training_step(self, batch: Batch, index: int) -> None:
        """Have the network compute the batch's gradient, and descend it."""
        due = self.due() if self.probes else []
        x_BI, y_B = counted_only(batch.x_TBI, batch.y_TB, batch.mask_TB)
        if not len(x_BI):
            raise ValueError(f"batch {index} counts no step: there is nothing to learn from it")
        t_BO = self._targets(y_B, x_BI)
        learned = self.energy.learn(x_BI, t_BO, self.memory)
        self.memory = learned.memory
        for probe in due:
            if "estimates" in probe.sees:
                probe.passed(Estimated(self.energy, x_BI, t_BO, learned))
        for w, gradient in zip(self.energy.parameters(), learned.gradient, strict=True):
            w.grad = gradient if w.requires_grad else None
        self._update(due)
        self.books.note(batch.x_TBI.shape[1], x_BI.new_zeros(()), 0)

    def _update(self, due: list[Any]) -> None:
        """Clip, move the weights, show that, and let the rate fall."""
        names, weights = that_train(self.names, self.moved)
        move = Move(due, names, weights, [w.grad for w in weights if w.grad is not None], self.clip)
        self.clip_and_decay(self.moved)
        optimizer, schedule = self.optimizers(), self.lr_schedulers()
        assert isinstance(optimizer, LightningOptimizer)
        optimizer.step()
        move.done()
        if isinstance(schedule, LinearLR):
            schedule.step()

    def _targets(self, y_N: Tensor, like: Tensor) -> Tensor:
        """Return targets as the network takes them, (N, O)."""
        if not self.loss.classifies:
            return y_N
        return nn.functional.one_hot(y_N, self.energy.output_size).to(like.dtype)

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Return what the network's answers are read from."""
        for batch in batches:
            z_NO = self.energy.outputs(batch.x_TBI.flatten(0, 1))
            yield batch, z_NO.unflatten(0, batch.x_TBI.shape[:2])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is carried on from batch to batch."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["memory"] = self.memory

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Carry it on."""
        super().on_load_checkpoint(checkpoint)
        self.memory = on_device(checkpoint["memory"], self.device, self.records())
