"""Learning by ordinary back-propagation: automatic differentiation of a network x -> y."""

from collections.abc import Iterable, Iterator
from typing import final

from torch import Tensor, nn

from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.learner import Learner
from lightning_modules.training.losses import counted_only


@final
class BackpropLearner(Learner):
    """A network from x_TBI to outputs, (T, B, O), updated once a batch."""

    def __init__(self, network: nn.Module, loss: str, optimizer: str, learning_rate: float):
        """Train all parameters of ``network``."""
        super().__init__(loss, optimizer, learning_rate)
        self.network = network

    def begin(self, task: Task) -> None:
        """Refuse a task that streams: a network keeps no state from batch to batch."""
        super().begin(task)
        if task.streams:
            raise ValueError("the task streams, but a network keeps no state: use SequenceLearner")

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the mean loss over the counted outputs."""
        z_NO, y_N = counted_only(self.network(batch.x_TBI), batch.y_TB, batch.mask_TB)
        if not len(z_NO):
            raise ValueError(f"batch {index} counts no output: there is nothing to learn from it")
        loss = self.loss.value(z_NO, y_N)
        self.books.note(batch.x_TBI.shape[1], loss.detach(), len(z_NO))
        return loss / len(z_NO)

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Apply the network in evaluation mode."""
        self.network.eval()
        for batch in batches:
            yield batch, self.network(batch.x_TBI)
        self.network.train()
