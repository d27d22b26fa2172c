"""Learning by ordinary back-propagation: automatic differentiation of a network x -> y.

Probes see its updates, and for every module without children its outputs h and ∂L/∂h.
"""

from collections.abc import Iterable, Iterator
from typing import Any, final

from torch import Tensor, nn

from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Batch, Task
from lightning_modules.probes._outputs import Watched
from lightning_modules.training.automatic import AutomaticLearner
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.losses import counted_only
from lightning_modules.training.modes import evaluating


@final
class BackpropLearner(AutomaticLearner):
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
        return self.falling(optimizer, 0.0) if self.anneal else optimizer

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

    def gone_back(self) -> None:
        """Show the outputs of the layers, and what came back to them."""
        self._watched.show()
