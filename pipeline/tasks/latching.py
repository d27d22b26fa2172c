"""The latching problem: keep what the first steps said, whatever noise comes after.

    x_t = ± 1, the same sign at each of the first ``signs`` steps        noise, N(0, σ²), after them
    y_T = whether the sign was +

σ² is .2 unless asked otherwise. Sequences have ``length`` steps, so the sign is to be kept for
``length`` - ``signs`` of them. A network that remembers nothing has a loss of ln 2.

It is hard for gradients, not for search: a unit that feeds itself strongly enough keeps its sign,
and weights drawn at random do so often enough to be found in some tens of trials.

References:
    Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is
        difficult, IEEE Transactions on Neural Networks 5(2): latching, and the two-sequence
        problem, the form used here.
    Lin, Horne, Tiňo & Giles (1996), Learning long-term dependencies in NARX recurrent neural
        networks, IEEE Transactions on Neural Networks 7(6): signs at three steps, then noise.
    Hochreiter & Schmidhuber (1997), LSTM can solve hard long time lag problems, NIPS 9: random
        weights solve it.
"""

import math

import numpy as np
import torch

from lightning_modules.checks import above, whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step

VARIANCE = 0.2


class Latching(Generated):
    """Sequences of ``length``; only the last step counts."""

    input_size, output_size, loss = 1, 2, "cross_entropy"
    chance_loss = math.log(2)

    def __init__(
        self,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        signs: int = 3,
        variance: float = VARIANCE,
    ):
        """``held_out_size`` counts sequences; ``variance`` is that of the noise."""
        super().__init__(seed, batch_size, held_out_size)
        whole(1, signs=signs)
        whole(signs, length=length)
        above(0, variance=variance)
        self.length, self._signs, self._deviation = length, signs, math.sqrt(variance)

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Return classes, (T, B), zero but at the last step."""
        T = self.length
        y_TB = torch.zeros(T, size, dtype=torch.int64)
        y_TB[-1] = torch.from_numpy(random.integers(0, 2, size))
        x_TBI = self._deviation * torch.from_numpy(random.standard_normal((T, size, 1), np.float32))
        x_TBI[: self._signs, :, 0] = 2.0 * y_TB[-1] - 1
        start_TB = first_step(T, size)
        return Batch(x_TBI, y_TB, start_TB.flip(0), start_TB)
