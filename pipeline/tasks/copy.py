"""The copy task: repeat ``length`` symbols after a delay.

    input    s_1 … s_L   _ … _ go   _ … _
    output   not counted            s_1 … s_L

The delay lies between the last symbol and the first answer; its last step is the signal to go. A
network that remembers nothing has a loss of ln K on the L counted steps, K symbols being equally
likely.

References:
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8): the delay.
    Graves, Wayne & Danihelka (2014), Neural Turing machines, arXiv:1410.5401: the name.
    Arjovsky, Shah & Bengio (2016), Unitary evolution recurrent neural networks, ICML: this form.
"""

import math

import numpy as np
import torch
from torch.nn.functional import one_hot

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step


class Copy(Generated):
    """``length`` out of ``alphabet`` symbols, ``delay`` steps, then the answer: T = 2 L + delay."""

    loss = "cross_entropy"

    def __init__(
        self, seed: int, batch_size: int, alphabet: int, length: int, delay: int, held_out_size: int
    ):
        """Inputs are one-hot: the symbols, blank, go. ``held_out_size`` counts sequences."""
        super().__init__(seed, batch_size, held_out_size)
        whole(2, alphabet=alphabet)
        whole(1, length=length, delay=delay)
        self.length, self.delay = length, delay
        self.input_size, self.output_size = alphabet + 2, alphabet
        self.chance_loss = math.log(alphabet)

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Return classes (T, B), of which the last ``length`` count."""
        L, steps = self.length, 2 * self.length + self.delay
        blank, go = self.output_size, self.output_size + 1
        symbols_LB = torch.from_numpy(random.integers(0, self.output_size, (L, size)))
        input_TB = torch.full((steps, size), blank)
        input_TB[:L], input_TB[steps - L - 1] = symbols_LB, go
        y_TB, mask_TB = torch.zeros(steps, size, dtype=torch.int64), torch.zeros(steps, size)
        y_TB[-L:], mask_TB[-L:] = symbols_LB, 1
        x_TBI = one_hot(input_TB, self.input_size).float()
        return Batch(x_TBI, y_TB, mask_TB.bool(), first_step(steps, size))
