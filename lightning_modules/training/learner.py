"""What all learners share, however they find their gradients."""

import abc
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from lightning_modules.checks import above
from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Batch, Task
from lightning_modules.registry import UnknownNameError, nearest
from lightning_modules.training.batches import checked
from lightning_modules.training.books import Books
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.losses import counted_only, loss_named

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


class Score(NamedTuple):
    """How well outputs fit their targets."""

    loss: float | None
    """The mean over the counted outputs; None where there are none."""
    accuracy: float | None
    """The fraction of them whose largest output is the target class; None for values."""


class Learner(LightningModule, abc.ABC):
    """A Lightning module that learns a task and keeps books of it.

    Attributes:
        books: what was trained on so far, and how it went.
        moved, names: what the optimizer moves, and all parameters by name, while it trains.
        shows: what probes can see of it.
        probes: those that are attached.
    """

    shows: ClassVar[frozenset[str]]

    def __init__(
        self,
        loss: str,
        optimizer: str,
        learning_rate: float,
        clip: Clip | None = None,
        decay: Decay | None = None,
    ):
        """Raise UnknownNameError or ValueError for unknown names and values out of range."""
        super().__init__()
        if optimizer not in OPTIMIZERS:
            hint = nearest(optimizer, OPTIMIZERS)
            raise UnknownNameError(f"{optimizer!r} is not one of the optimizers: {hint}")
        above(0, learning_rate=learning_rate)
        self.loss_name, self.loss = loss, loss_named(loss)
        self.optimizer, self.learning_rate = optimizer, learning_rate
        self.clip, self.decay = clip, decay
        self.probes: list[Instrument] = []

    @abc.abstractmethod
    def outputs(self, batches: Iterable[Batch]) -> Iterable[tuple[Batch, Tensor]]:
        """Iterate over batches of held-out data and their outputs, (T, B, O)."""

    def described(self) -> dict[str, Any]:
        """Return all that its training is a function of, by which checkpoints are told apart."""
        return {
            "learner": type(self),
            "loss": self.loss_name,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "clip": self.clip,
            "decay": self.decay,
        }

    def records(self) -> list[type]:
        """Return the record classes that its checkpoints hold beside tensors and plain data."""
        return []

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign Lightning's mark of the present hook directly.

        It does so some thirty times a step, and a module looks for parameters each time.
        """
        if name == "_current_fx_name":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def begin(self, task: Task) -> None:
        """Open empty books before a task's first batch; ValueError if the task does not fit."""
        if task.loss != self.loss_name:
            raise ValueError(f"the task's loss is {task.loss}, the learner's {self.loss_name}")
        self.streams, self._outputs = task.streams, task.output_size
        self.books = Books()

    def attach(self, probe: Instrument) -> None:
        """Show the probe what it sees from now on; ValueError if this learner shows none of it."""
        if not (probe.sees & self.shows and probe.needs <= self.shows):
            raise ValueError(
                f"{probe.name} sees {' and '.join(sorted(probe.sees))}, but "
                f"{type(self).__name__} shows {', '.join(sorted(self.shows))} alone"
            )
        if probe not in self.probes:
            self.probes.append(probe)

    def due(self) -> list[Instrument]:
        """Return the probes that look at the present batch."""
        return [probe for probe in self.probes if probe.due(self.books.batches)]

    def weights(self) -> list[nn.Parameter]:
        """Return what the optimizer moves."""
        return list(self.parameters())

    def clip_and_decay(self, weights: Sequence[nn.Parameter]) -> None:
        """Clip the weights' gradients, and have the weights decay, before the optimizer's step."""
        if self.clip is not None:
            self.clip(weights)
        if self.decay is not None:
            self.decay(weights, self.learning_rate)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer over ``weights()``, which are on their device by now."""
        self.moved = self.weights()
        self.names = [name for name, _ in self.named_parameters()]
        return OPTIMIZERS[self.optimizer](self.moved, lr=self.learning_rate)  # pyright: ignore[reportCallIssue]

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int = 0
    ) -> Batch:
        """Return the batch on the device, its numbers in the type of the weights.

        A one-line ValueError for a batch that does not fit.
        """
        dtype, batch = self.moved[0].dtype, checked(batch, self.loss, self._outputs)
        return Batch(
            batch.x_TBI.to(device, dtype, non_blocking=True),
            self.loss.targets(batch.y_TB, dtype).to(device, non_blocking=True),
            batch.mask_TB.to(device, non_blocking=True),
            batch.resets_TB.to(device, non_blocking=True),
        )

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Return the score on held-out batches, which changes nothing of the learner."""
        loss, correct, counted = 0.0, 0, 0
        here = (self.transfer_batch_to_device(batch, self.device) for batch in batches)
        for batch, z_TBO in self.outputs(here):
            z_NO, y_N = counted_only(z_TBO, batch.y_TB, batch.mask_TB)
            loss += float(self.loss.value(z_NO, y_N))
            counted += len(z_NO)
            if self.loss.classifies:
                correct += int((z_NO.argmax(dim=-1) == y_N).sum())
        if not counted:
            return Score(None, None)
        return Score(loss / counted, correct / counted if self.loss.classifies else None)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the books, the random generators' states and which weights are frozen."""
        cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        checkpoint["books"] = self.books.state()
        checkpoint["trains"] = [w.requires_grad for w in self.parameters()]
        checkpoint["generators"] = (torch.get_rng_state(), cuda)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take them out again."""
        self.books = Books(**checkpoint["books"])
        for w, trains in zip(self.parameters(), checkpoint["trains"], strict=True):
            w.requires_grad_(trains)
        cpu, cuda = checkpoint["generators"]
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state(cuda, self.device)
