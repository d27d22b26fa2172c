"""Learning by a map: winners move, without a loss's gradient and without an optimizer.

The map goes through a batch's examples in order: all samples of the first time step, then of the
next. Classes are given to maps that learn them. The loss, in training and held out, is the map's
own: for Kohonen's maps the quantisation error. There is an accuracy where the map has classes.

Probes see what the map reports of itself after a batch and, as an update, the whole move of a
batch; its gradient is the negative of that move.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, final

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor

from lightning_modules.instruments import Instrument, Update
from lightning_modules.interfaces import Batch, Task
from lightning_modules.maps._map import Map, Seen
from lightning_modules.training.learner import Learner, Score
from lightning_modules.training.losses import counted_only


class Told(NamedTuple):
    """A map after a batch."""

    facts: dict[str, Tensor]
    """What it tells of itself and of how it fits the batch's inputs, by name."""
    changes: Tensor
    """Examples of the batch that moved a weight."""
    rise: Tensor
    """How far the weight that rose furthest did; below 0 where all fell."""


@final
class MapLearner(Learner):
    """A map that goes through a task's examples."""

    shows = frozenset({"maps", "updates"})

    def __init__(self, map: Map, loss: str):  # noqa: A002
        """``loss`` is the task's: it says whether targets are classes or values."""
        super().__init__(loss, "sgd", 1.0)
        self.automatic_optimization = False
        self.map = map

    def begin(self, task: Task) -> None:
        """Refuse a task that streams, and start passes anew."""
        super().begin(task)
        if task.streams:
            raise ValueError("the task streams, but a map keeps no state: use SequenceLearner")
        self.map.begin()

    def described(self) -> dict[str, Any]:
        """Add the map."""
        return {**super().described(), "map": self.map}

    @torch.no_grad()
    def training_step(self, batch: Batch, index: int) -> None:
        """Have the map go through the batch."""
        due = self.due() if self.probes else []
        updates = [probe for probe in due if "updates" in probe.sees]
        told = [probe for probe in due if "maps" in probe.sees]
        before_MI = self.map.w_MI.detach().clone() if updates or told else None
        x_NI, y_N = self._examples(batch)
        seen = self.map.learn(x_NI, y_N)
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        optimizer.step()  # of weights without gradients: it moves nothing, and counts the batch
        if before_MI is not None:
            self._tell(told, before_MI, x_NI, seen)
            self._show(updates, before_MI)
        self.books.note(batch.x_TBI.shape[1], x_NI.new_tensor(seen.loss), seen.examples)

    def _tell(self, probes: list[Instrument], before_MI: Tensor, x_NI: Tensor, seen: Seen) -> None:
        """Have the map tell of itself after a batch that held examples."""
        if not probes or not len(x_NI):
            return
        rise = (self.map.w_MI.detach() - before_MI).max()
        told = Told(self.map.facts(x_NI), torch.tensor(float(seen.changes)), rise)
        for probe in probes:
            probe.passed(told)

    def _show(self, probes: list[Instrument], before_MI: Tensor) -> None:
        """Show the move of a batch."""
        after_MI = self.map.w_MI.detach()
        back = [before_MI - after_MI]
        name = next(name for name, w in self.named_parameters() if w is self.map.w_MI)
        for probe in probes:
            probe.updated(Update([name], [before_MI], [after_MI], back, back, None))

    def _examples(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return the counted steps' inputs, (N, I), and their classes, where targets are such."""
        x_NI, y_N = counted_only(batch.x_TBI, batch.y_TB, batch.mask_TB)
        return x_NI, y_N if self.loss.classifies else None

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Return the number of the unit that wins at each step, (T, B, 1)."""
        for batch in batches:
            x_NI = batch.x_TBI.flatten(0, 1)
            yield batch, self.map.winner(x_NI).view(*batch.x_TBI.shape[:2], 1)

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Return the score on held-out batches, which changes nothing of the map."""
        loss, correct, counted, classes_N = 0.0, 0, 0, None
        for batch in batches:
            here = self.transfer_batch_to_device(batch, self.device)
            x_NI, y_N = self._examples(here)
            loss += float(self.map.loss(x_NI).double().sum())
            counted += len(x_NI)
            classes_N = self.map.classes(x_NI) if y_N is not None else None
            if classes_N is not None:
                correct += int((classes_N == y_N).sum())
        if not counted:
            return Score(None, None)
        return Score(loss / counted, None if classes_N is None else correct / counted)
