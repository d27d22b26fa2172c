"""Imitate a random network that never changes.

    h_t = tanh(W h_{t-1} + U x_t)      y_t = V h_t      x_t standard normal

W is orthogonal, U and V Gaussian, of variance one over their number of columns; the rows of V are
then scaled so that every output has variance 1, as measured on separate inputs. Always answering 0
has a loss of 1. The seed draws both the teacher and the inputs.

The teacher starts from h = 0 at every 5,000th step, and the learner's state is reset there as well.
Between two resets the stream is continuous.

References:
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
    recurrent neural networks, JMLR 21(135): "mimic".
"""

import numpy as np
import torch

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import first_step, numbers
from pipeline.tasks._stream import BLOCK, BlockStream

TEACHER, MEASURED = 2, 3
"""Which numbers the teacher, and the inputs that it is scaled on, are drawn from."""
MEASURED_LANES = 16


class Mimic(BlockStream):
    """As many values to give at every step as the teacher has outputs; all steps count."""

    loss = "squared_error"
    chance_loss = 1.0

    def __init__(
        self,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        units: int = 32,
        input_size: int = 32,
        output_size: int = 32,
    ):
        """``units`` is the teacher's size; ``held_out_size`` counts the steps of each lane."""
        super().__init__(seed, batch_size, length, held_out_size)
        whole(1, units=units, input_size=input_size, output_size=output_size)
        self.input_size, self.output_size = input_size, output_size
        random = numbers(seed, TEACHER)
        self._W_HH = np.linalg.qr(random.standard_normal((units, units)))[0]
        self._U_HI = random.standard_normal((units, input_size)) / input_size**0.5
        self._V_OH = random.standard_normal((output_size, units)) / units**0.5
        x_TBI = numbers(seed, MEASURED).standard_normal((BLOCK, MEASURED_LANES, input_size))
        self._V_OH /= self._taught(x_TBI).std(axis=(0, 1))[:, None]

    def _block(self, part: int, number: int) -> Batch:
        """Draw inputs and have the teacher follow them."""
        random = numbers(self.seed, part, number)
        x_TBI = random.standard_normal((BLOCK, self.batch_size, self.input_size))
        x_TBI, y_TBO = (torch.from_numpy(v).float() for v in (x_TBI, self._taught(x_TBI)))
        resets_TB = first_step(BLOCK, self.batch_size)
        return Batch(x_TBI, y_TBO, torch.ones_like(resets_TB), resets_TB)

    def _taught(self, x_TBI: np.ndarray) -> np.ndarray:
        """Return the teacher's outputs from h = 0 on, (T, B, O)."""
        h_TBH = x_TBI @ self._U_HI.T
        h_BH = np.zeros_like(h_TBH[0])
        for z_BH in h_TBH:
            z_BH += h_BH @ self._W_HH.T
            h_BH = np.tanh(z_BH, out=z_BH)
        return h_TBH @ self._V_OH.T
