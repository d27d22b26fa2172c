"""Temporal order: in which order did two symbols come, many steps ago?

    x_t = one of six symbols, one-hot      A or B at steps t1 and t2, distractors c … f elsewhere
    y_T = 2 [t1's is B] + [t2's is B]      the classes AA, AB, BA, BB

With steps counted from 0, t1 is uniform in T/10 … 2T/10 and t2 in 4T/10 … 5T/10, bounds rounded
down and included. A network that remembers nothing has a loss of ln 4.

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8), experiment
        6a: with symbols for beginning and end, and a length of 100 to 110.
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks,
        ICML, arXiv:1211.5063: the form used here.
"""

import math

import numpy as np
import torch
from torch.nn.functional import one_hot

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step

ORDERED = 2
"""Symbols that matter, A and B, which come first; the others distract."""


class TemporalOrder(Generated):
    """Sequences of ``length``; only the last step counts."""

    input_size, output_size, loss = 6, 4, "cross_entropy"
    chance_loss = math.log(4)

    def __init__(self, seed: int, batch_size: int, length: int, held_out_size: int):
        """``held_out_size`` counts sequences; ``length`` is at least 10."""
        super().__init__(seed, batch_size, held_out_size)
        whole(10, length=length)
        self.length = length

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Return classes, (T, B), zero but at the last step."""
        T, rows = self.length, np.arange(size)
        input_TB = random.integers(ORDERED, self.input_size, (T, size))
        first_B, second_B = random.integers(0, ORDERED, (2, size))
        for from_, to, symbol_B in ((1, 2, first_B), (4, 5, second_B)):
            at_B = random.integers(from_ * T // 10, to * T // 10, size, endpoint=True)
            input_TB[at_B, rows] = symbol_B
        y_TB = torch.zeros(T, size, dtype=torch.int64)
        y_TB[-1] = torch.from_numpy(2 * first_B + second_B)
        x_TBI = one_hot(torch.from_numpy(input_TB), self.input_size).float()
        start_TB = first_step(T, size)
        return Batch(x_TBI, y_TB, start_TB.flip(0), start_TB)
