"""A few examples that are all in every batch: the whole distribution, each example as often."""

from collections.abc import Iterator

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.tasks._common import first_step, numbers


class Whole(Task):
    """Examples of one step, whose targets they are themselves.

    Attributes:
        examples_NI: them, each once.
    """

    loss = "squared_error"

    def __init__(self, examples_NI: Tensor, seed: int, batch_size: int, held_out_size: int):
        """ValueError for a batch that does not hold all examples equally often."""
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, held_out_size=held_out_size)
        count = len(examples_NI)
        if batch_size % count:
            raise ValueError(f"batch_size is {batch_size}: it must be a multiple of {count}")
        self.examples_NI = examples_NI
        self.input_size = self.output_size = examples_NI.shape[1]
        self._seed, self._times = seed, batch_size // count

    def batch(self, index: int) -> Batch:
        """Return all examples, in an order that seed and index decide."""
        whole(0, index=index)
        order_B = numbers(self._seed, index).permutation(len(self.examples_NI) * self._times)
        return self._of(self.examples_NI[torch.from_numpy(order_B) // self._times])

    def held_out(self) -> Iterator[Batch]:
        """Iterate over the examples, each once: nothing is held out of a whole distribution."""
        yield self._of(self.examples_NI)

    def _of(self, x_BI: Tensor) -> Batch:
        start_1B = first_step(1, len(x_BI))
        return Batch(x_BI[None], x_BI[None], torch.ones_like(start_1B), start_1B)
