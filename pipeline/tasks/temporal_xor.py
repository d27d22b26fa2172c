"""Temporal XOR: predict the next bit of a stream of which every third can be known.

    b_{3k}, b_{3k+1} = 0 or 1, at even odds        b_{3k+2} = b_{3k} XOR b_{3k+1}
    x_t = b_t        y_t = b_{t+1}

Of two random bits nothing is known before they come: the squared error of the best guess is .25.
Of the third everything is, to who remembers the bit before and knows where in the triple it is;
neither bit alone says anything of it, and no weight from inputs straight to the output helps. So
the best loss is 2/3 of .25.

References:
    Elman (1990), Finding structure in time, Cognitive Science 14: one long stream; the error of
        what is predicted falls at every third bit. Here a batch is of sequences that start with a
        triple, ``length`` predictions each.
"""

import numpy as np
import torch

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step

PERIOD = 3


class TemporalXor(Generated):
    """A bit to predict at every step, all of which count.

    Attributes:
        chance_loss: of the best constant.
        floor_loss: of who remembers, in a long stream.
    """

    input_size, output_size, loss = 1, 1, "squared_error"
    chance_loss = 0.25
    floor_loss = 0.25 * (1 - 1 / PERIOD)

    def __init__(self, seed: int, batch_size: int, length: int, held_out_size: int):
        """``held_out_size`` counts sequences."""
        super().__init__(seed, batch_size, held_out_size)
        whole(PERIOD, length=length)
        self.length = length

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        triples = -(-(self.length + 1) // PERIOD)
        first_KB, second_KB = torch.from_numpy(random.integers(0, 2, (2, triples, size))).float()
        third_KB = (first_KB - second_KB).abs()
        bit_TB = torch.stack([first_KB, second_KB, third_KB], dim=1).flatten(0, 1)
        T = self.length
        start_TB = first_step(T, size)
        x_TBI, y_TBO = (bits_TB.unsqueeze(-1) for bits_TB in (bit_TB[:T], bit_TB[1 : T + 1]))
        return Batch(x_TBI, y_TBO, torch.ones_like(start_TB), start_TB)
