"""Add two inputs of some steps ago, at every step ("add").

    x_t = 0 or 1, at even odds      input [x_t, 1 - x_t]
    y_t = 0.5 + 0.5 x_{t - first} - 0.25 x_{t - second}

The squared error of a constant is the variance, .5²/4 + .25²/4 = .0781. Who looks back ``first``
steps but not ``second`` reaches .25²/4 = .0156; the second lag alone leaves .5²/4 = .0625. What
came before the stream is 0. (The paper has [y, 1 - y] as probabilities under a cross-entropy.)

References:
    Pitis (2016), Recurrent neural networks in TensorFlow I: the task.
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
    recurrent neural networks, JMLR 21(135).
"""

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import numbers
from pipeline.tasks._stream import BLOCK, BlockStream

FIRST_WEIGHT, SECOND_WEIGHT = 0.5, -0.25


class LaggedSum(BlockStream):
    """One value to give at every step, all of which count; the state is never reset.

    Attributes:
        chance_loss: of the best constant.
        floor_loss: 0, of who remembers.
    """

    input_size, output_size, loss = 2, 1, "squared_error"
    chance_loss = (FIRST_WEIGHT**2 + SECOND_WEIGHT**2) / 4
    floor_loss = 0.0

    def __init__(
        self,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        first: int = 6,
        second: int = 10,
    ):
        """``held_out_size`` counts the steps of each lane."""
        super().__init__(seed, batch_size, length, held_out_size)
        whole(1, first=first)
        whole(first + 1, second=second)
        if second > BLOCK:
            raise ValueError(f"second is {second}, must be at most {BLOCK}")
        self._first, self._second = first, second

    def _block(self, part: int, number: int) -> Batch:
        """Draw a block; its first targets reach back into the block before."""
        x_NB = torch.cat([self._bits(part, number - 1), self._bits(part, number)])
        first_TB, second_TB = (
            x_NB[BLOCK - lag : 2 * BLOCK - lag] for lag in (self._first, self._second)
        )
        y_TB = 0.5 + FIRST_WEIGHT * first_TB + SECOND_WEIGHT * second_TB
        x_TB = x_NB[BLOCK:]
        resets_TB = torch.zeros_like(x_TB, dtype=torch.bool)
        resets_TB[0] = number == 0
        x_TBI = torch.stack([x_TB, 1 - x_TB], dim=-1)
        return Batch(x_TBI, y_TB.unsqueeze(-1), torch.ones_like(resets_TB), resets_TB)

    def _bits(self, part: int, number: int) -> Tensor:
        """Return the inputs of a block, (BLOCK, B); zeros before the stream."""
        if number < 0:
            return torch.zeros(BLOCK, self.batch_size)
        random = numbers(self.seed, part, number)
        return torch.from_numpy(random.integers(0, 2, (BLOCK, self.batch_size))).float()
