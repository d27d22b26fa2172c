"""Text a^n b^n: the next symbol of strings whose second half has to be counted off.

    "a" n times, newline, "b" n times, newline      n uniform in 1 … longest

Strings follow one another without a reset. Only the end of a run of a's is uncertain: log(longest)
nats a string, of longest + 3 characters on average. With 32 that is .0990 nats, .1429 bits, a
character. A lane is a ring of 3,000 strings, some 105,000 characters, so that it can be entered
anywhere; it joins end and beginning between two strings.

References:
    Tallec & Ollivier (2018), Unbiased online recurrent optimization, ICLR, arXiv:1702.05043.
    Gers & Schmidhuber (2001), LSTM recurrent networks learn simple context-free and
    context-sensitive languages, IEEE Transactions on Neural Networks 12(6).
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import numbers
from pipeline.tasks._stream import HELD_OUT, TRAINING, Stream

A, B, NEWLINE = range(3)
STRINGS = 3_000


class AnBn(Stream):
    """Inputs are one-hot (a, b, newline); every step counts.

    Attributes:
        chance_loss: nats a character of who knows how frequent the three symbols are.
        floor_loss: nats a character of the source itself.
    """

    input_size, output_size, loss = 3, 3, "cross_entropy"

    def __init__(
        self, seed: int, batch_size: int, length: int, held_out_size: int, longest: int = 32
    ):
        """``held_out_size`` counts the steps of each lane."""
        super().__init__(seed, batch_size, length, held_out_size)
        whole(2, longest=longest)
        letter, newline = (longest + 1) / 2, 2
        mean_length = 2 * letter + newline
        self.floor_loss = math.log(longest) / mean_length
        shares = [count / mean_length for count in (letter, letter, newline)]
        self.chance_loss = -sum(share * math.log(share) for share in shares)
        self._lanes = {
            part: [_ring(numbers(seed, part, lane), longest) for lane in range(batch_size)]
            for part in (TRAINING, HELD_OUT)
        }

    def _read(self, part: int, step_T: Tensor) -> Batch:
        """Return the symbols at the steps and those that follow them."""
        lanes = self._lanes[part]
        input_TB, y_TB = (
            torch.stack([ring_N[at_T % len(ring_N)] for ring_N in lanes], dim=1).long()
            for at_T in (step_T, step_T + 1)
        )
        resets_TB = (step_T == 0)[:, None].expand_as(y_TB)
        x_TBI = one_hot(input_TB, self.input_size).float()
        return Batch(x_TBI, y_TB, torch.ones_like(resets_TB), resets_TB)


def _ring(random: np.random.Generator, longest: int) -> Tensor:
    """Return whole strings one after another, as bytes."""
    counts_S4 = np.ones((STRINGS, 4), np.int64)
    counts_S4[:, [0, 2]] = random.integers(1, longest + 1, (STRINGS, 1))
    symbols_N = np.tile(np.array([A, NEWLINE, B, NEWLINE], np.uint8), STRINGS)
    return torch.from_numpy(symbols_N.repeat(counts_S4.ravel()))
