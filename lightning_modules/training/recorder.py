"""The callback that turns a run into rows, stops it where it diverges, and saves it mid-way."""

import math
import pathlib
import time
from collections.abc import Sequence
from typing import Any, final

from pytorch_lightning import Callback, LightningModule, Trainer

from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Task
from lightning_modules.training.learner import Learner

Row = dict[str, Any]


@final
class Recorder(Callback):
    """Rows at step 0, at every ``evaluate_every`` steps and at the end.

    Attributes:
        rows: one for each evaluation, followed by what probes measured since the one before;
            numbers that are not finite are None.
    """

    def __init__(
        self, task: Task, steps: int, evaluate_every: int, probes: Sequence[Instrument] = ()
    ):
        """Evaluate on the held-out data of ``task``."""
        self._probes = probes
        self.rows: list[Row] = []
        self._task, self._steps, self._every = task, steps, evaluate_every

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the untrained learner, unless a checkpoint brought its row."""
        assert isinstance(pl_module, Learner)
        if not self.rows:
            self._record(pl_module)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Settle the batch's books; record if it is time, and stop a run that diverged."""
        assert isinstance(pl_module, Learner)
        books, moved = pl_module.books, pl_module.moved
        books.settle(moved)
        if books.diverged or books.batches == self._steps or books.batches % self._every == 0:
            self._record(pl_module)
        trainer.should_stop |= books.diverged

    def _record(self, learner: Learner) -> None:
        """Add a row; of a learner that diverged nothing is measured."""
        books, loss, accuracy = learner.books, None, None
        train_loss = books.take_loss()
        if not books.diverged:
            loss, accuracy = learner.evaluate(self._task.held_out())
            books.diverged = loss is not None and not math.isfinite(loss)
        self.rows.append(
            {
                "step": books.batches,
                "examples": books.examples,
                "train_loss": _finite(train_loss),
                "held_out_loss": _finite(loss),
                "held_out_accuracy": accuracy,
                "diverged": books.diverged,
            }
        )
        for probe in self._probes:
            self.rows += probe.rows(books.batches)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far, which go into checkpoints."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows of the run that is resumed."""
        self.rows = list(state_dict["rows"])


@final
class Saver(Callback):
    """Save the run now and then, in one file that is replaced whole or not at all."""

    def __init__(self, path: pathlib.Path, every_seconds: float):
        """Save to ``path``, for the first time after ``every_seconds``."""
        self._path, self._every, self._saved = path, every_seconds, time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save if it is time; a run that is over is not saved."""
        over = trainer.should_stop or batch_idx + 1 == trainer.num_training_batches
        if over or time.monotonic() - self._saved < self._every:
            return
        trainer.save_checkpoint(self._path)
        self._saved = time.monotonic()


def _finite(value: float | None) -> float | None:
    """Return the value, or None where it is not finite."""
    return value if value is not None and math.isfinite(value) else None
