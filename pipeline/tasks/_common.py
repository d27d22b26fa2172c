"""What tasks share: numbers from a seed and an index, checks, and masks."""

import abc
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task

HELD_OUT_BATCH = 500
"""Sequences that are evaluated at once: a bound on memory."""


def numbers(seed: int, *index: int) -> np.random.Generator:
    """Return the random numbers that belong to a seed and an index, whatever was drawn before."""
    return np.random.default_rng((seed, *index))


def first_step(length: int, batch_size: int) -> Tensor:
    """Return a (T, B) mask that is true at the first step only."""
    mask_TB = torch.zeros(length, batch_size, dtype=torch.bool)
    mask_TB[0] = True
    return mask_TB


class Generated(Task):
    """Sequences drawn afresh for every batch; the held-out ones come from their own numbers."""

    def __init__(self, seed: int, batch_size: int, held_out_size: int):
        """``held_out_size`` counts sequences."""
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, held_out_size=held_out_size)
        self.seed, self.batch_size, self.held_out_size = seed, batch_size, held_out_size

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        whole(0, index=index)
        return self._draw(numbers(self.seed, 0, index), self.batch_size)

    def held_out(self) -> Iterator[Batch]:
        """Iterate over ``held_out_size`` sequences, the same each time."""
        for start in range(0, self.held_out_size, HELD_OUT_BATCH):
            size = min(HELD_OUT_BATCH, self.held_out_size - start)
            yield self._draw(numbers(self.seed, 1, start), size)

    @abc.abstractmethod
    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Draw ``size`` sequences."""
