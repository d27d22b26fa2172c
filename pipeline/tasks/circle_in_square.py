"""The circle in the square: is a point inside? The two are of one centre, the circle half as large.

Points are uniform in the unit square, ½ ± 1/√(2π) being the circle's edge, so that whoever guesses
is right on half of them. Training goes through ``train_size`` points, in a new order each time.

References:
    Wilensky (1990), Analysis of neural network issues: scaling, enhanced nodal processing,
        comparison with standard classification, DARPA neural network program review.
    Carpenter, Grossberg, Markuzon, Reynolds & Rosen (1992), Fuzzy ARTMAP, IEEE Transactions on
        Neural Networks 3(5): one pass over 100 to 100,000 points.
"""

import math
from collections.abc import Iterator
from typing import final

import numpy as np
import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.tasks._common import HELD_OUT_BATCH, first_step, numbers
from pipeline.tasks._epochs import Epochs

RADIUS = 1 / math.sqrt(2 * math.pi)
"""Of a circle of area ½."""


@final
class CircleInSquare(Task):
    """Two numbers and a class: 1 inside, 0 outside."""

    input_size, output_size, loss = 2, 2, "cross_entropy"

    def __init__(self, seed: int, train_size: int, held_out_size: int, batch_size: int):
        """Draw the points, as many held out as tested; ValueError for sizes that cannot be."""
        whole(0, seed=seed)
        whole(1, train_size=train_size, held_out_size=held_out_size, batch_size=batch_size)
        if batch_size > train_size:
            raise ValueError(f"batch_size is {batch_size}, there are {train_size} points")
        self._parts = [
            torch.from_numpy(numbers(seed, part).random((size, 2)))
            for part, size in enumerate((train_size, held_out_size, held_out_size))
        ]
        self.trained = train_size
        self._epochs = Epochs(seed, batch_size, np.arange(train_size))

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        return _asked(self._parts[0][self._epochs.batch(index)])

    def held_out(self) -> Iterator[Batch]:
        """Iterate over points that are held out."""
        return map(_asked, self._parts[1].split(HELD_OUT_BATCH))

    def test(self) -> Iterator[Batch]:
        """Iterate over others, for one look after training."""
        return map(_asked, self._parts[2].split(HELD_OUT_BATCH))


def _asked(x_B2: Tensor) -> Batch:
    """Return points as one step."""
    inside_B = (x_B2 - 0.5).pow(2).sum(1) < RADIUS**2
    start_TB = first_step(1, len(x_B2))
    return Batch(x_B2.float()[None], inside_B.long()[None], torch.ones_like(start_TB), start_TB)
