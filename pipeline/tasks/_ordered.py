"""The same examples in another order, for learners whose result depends on their order."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np
import torch

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.tasks._common import first_step
from pipeline.tasks._epochs import Epochs


@final
class Ordered(Task):
    """The first examples that a task trains on, in an order that ``order`` draws for each pass.

    Attributes:
        x_NI, y_N: the examples, in the task's own order.
    """

    def __init__(self, task: Any, size: int, batch_size: int, order: int):
        """Take ``size`` examples out of the task's batches, of one step each, from the first on."""
        whole(1, size=size, batch_size=batch_size)
        self.input_size, self.output_size = task.input_size, task.output_size
        self.loss, self._task = task.loss, task
        parts = [task.batch(0)]
        while sum(part.x_TBI.shape[1] for part in parts) < size:
            parts.append(task.batch(len(parts)))
        self.x_NI = torch.cat([part.x_TBI[0] for part in parts])[:size]
        self.y_N = torch.cat([part.y_TB[0] for part in parts])[:size]
        self._epochs = Epochs(order, batch_size, np.arange(size))

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        chosen_B = self._epochs.batch(index)
        start_TB = first_step(1, len(chosen_B))
        x_1BI, y_1B = self.x_NI[chosen_B][None], self.y_N[chosen_B][None]
        return Batch(x_1BI, y_1B, torch.ones_like(start_TB), start_TB)

    def held_out(self) -> Iterator[Batch]:
        """Iterate over nothing: where there is one pass, nothing is chosen along it."""
        return iter(())

    def test(self) -> Iterator[Batch]:
        """Iterate over what the task tests on."""
        return self._task.test()
