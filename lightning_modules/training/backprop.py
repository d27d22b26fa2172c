"""Learning by ordinary back-propagation: automatic differentiation of a network x -> y."""

from collections.abc import Iterable, Iterator
from typing import final

from torch import Tensor, nn

from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.learner import Learner


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
        z_TBO = self.network(batch.x_TBI)
        counted = int(batch.mask_TB.sum())
        if not counted:
            raise ValueError(f"batch {index} counts no output: there is nothing to learn from it")
        loss = self.loss.value(z_TBO[batch.mask_TB], batch.y_TB[batch.mask_TB])
        self.book(batch, loss.detach(), counted)
        return loss / counted

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Apply the network in evaluation mode."""
        self.network.eval()
        for batch in batches:
            yield batch, self.network(batch.x_TBI)
        self.network.train()
