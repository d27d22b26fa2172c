"""Epochs over a fixed number of examples: which of them come in which batch."""

import numpy as np
import torch
from torch import Tensor

from lightning_modules.checks import whole
from pipeline.tasks._common import numbers


class Epochs:
    """A new order each epoch; what is left over from whole batches waits for another epoch."""

    def __init__(self, seed: int, batch_size: int, examples_N: np.ndarray):
        """Go through ``examples_N``, the numbers of the examples, by ``seed``."""
        self._seed, self._batch_size, self._examples_N = seed, batch_size, examples_N
        self._now = (-1, examples_N)

    def batch(self, index: int) -> Tensor:
        """Return which examples batch ``index`` has, (B,)."""
        whole(0, index=index)
        epoch, place = divmod(index, len(self._examples_N) // self._batch_size)
        if self._now[0] != epoch:
            order_N = numbers(self._seed, epoch).permutation(len(self._examples_N))
            self._now = (epoch, self._examples_N[order_N])
        first = place * self._batch_size
        return torch.from_numpy(self._now[1][first : first + self._batch_size])
