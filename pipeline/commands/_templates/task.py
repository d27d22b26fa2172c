"""Example: at the last step, tell the sign of the first; your task here.

    x_1 ~ N(0, 1), then 0        y_T = whether x_1 was above 0

A network that remembers nothing has a loss of at least ln 2.

References:
    Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is
        difficult, IEEE Transactions on Neural Networks 5(2).
"""

import math

import numpy as np
import torch

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step


class Example(Generated):
    """Sequences of ``length``; only the last step counts."""

    input_size, output_size, loss = 1, 2, "cross_entropy"
    chance_loss = math.log(2)

    def __init__(self, seed: int, batch_size: int, length: int, held_out_size: int):
        """Build the task; ``held_out_size`` counts sequences."""
        super().__init__(seed, batch_size, held_out_size)
        whole(1, length=length)
        self.length = length

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Return ``size`` sequences; targets are classes, (T, B), zero before the last step."""
        x_TBI = torch.zeros(self.length, size, 1)
        x_TBI[0, :, 0] = torch.from_numpy(random.standard_normal(size))
        y_TB = torch.zeros(self.length, size, dtype=torch.int64)
        y_TB[-1] = x_TBI[0, :, 0] > 0
        start_TB = first_step(self.length, size)
        return Batch(x_TBI, y_TB, start_TB.flip(0), start_TB)
