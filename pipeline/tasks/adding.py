"""The adding problem: remember two numbers among many and give their sum at the end.

    x_t = [value, marker]      value uniform in [0, 1], marker 1 at two steps and 0 elsewhere
    y_T = the sum of the two marked values

One marker lies in either half of the sequence. A network that remembers nothing answers 1, with a
squared error of 2/12 = .1667 (the literature's .1767 is this number with a slip).

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8), experiment 4.
    Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear
    units, arXiv:1504.00941: the form used here.
"""

import numpy as np
import torch

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step


class Adding(Generated):
    """Two marked values of ``length``; only the last step counts."""

    input_size, output_size, loss = 2, 1, "squared_error"
    chance_loss = 1 / 6

    def __init__(self, seed: int, batch_size: int, length: int, held_out_size: int):
        """``held_out_size`` counts sequences."""
        super().__init__(seed, batch_size, held_out_size)
        whole(2, length=length)
        self.length = length

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Return targets as values, (T, B, 1), zero but at the last step."""
        T, half = self.length, self.length // 2
        value_BT = random.random((size, T), dtype=np.float32)
        marker_BT = np.zeros_like(value_BT)
        rows = np.arange(size)
        marker_BT[rows, random.integers(0, half, size)] = 1
        marker_BT[rows, random.integers(half, T, size)] = 1
        y_TBO = torch.zeros(T, size, 1)
        y_TBO[-1, :, 0] = torch.from_numpy((value_BT * marker_BT).sum(axis=1))
        start_TB = first_step(T, size)
        x_TBI = torch.from_numpy(np.stack([value_BT.T, marker_BT.T], axis=-1))
        return Batch(x_TBI, y_TBO, start_TB.flip(0), start_TB)
