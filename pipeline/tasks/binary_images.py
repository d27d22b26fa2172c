"""Pictures in black and white: a pixel is on where it is above a half; the picture is the target.

``inverted`` turns them over, black for white.

References:
    Salakhutdinov & Murray (2008), On the quantitative analysis of deep belief networks, ICML, draw
        each pixel by its grey value instead: likelihoods of the two are not to be compared.
"""

import torch
from torch import Tensor

from lightning_modules.interfaces import Batch
from pipeline.data.sets._base import PictureSet
from pipeline.tasks._common import first_step
from pipeline.tasks._pictures import Pictures


class BinaryImages(Pictures):
    """Pixels of 0 and 1, row by row, seen at once.

    Attributes:
        shape_YX: rows and columns.
    """

    loss = "squared_error"

    def __init__(
        self,
        images: PictureSet,
        seed: int,
        batch_size: int,
        held_out_size: int,
        inverted: bool = False,
        train_size: int | None = None,
    ):
        """Sizes count pictures."""
        super().__init__(images, seed, batch_size, held_out_size, train_size)
        Y, X = images.train_x_NHW.shape[1:]
        self.shape_YX = (int(Y), int(X))
        self.input_size = self.output_size = Y * X
        self._inverted = inverted

    def _read(self, x_NHW: Tensor, y_N: Tensor, chosen_B: Tensor) -> Batch:
        """Return the chosen pictures as one step."""
        del y_N
        on_BHW = (x_NHW[chosen_B] > 127) != self._inverted
        x_1BI = on_BHW.float().reshape(1, len(chosen_B), -1)
        start_TB = first_step(1, len(chosen_B))
        return Batch(x_1BI, x_1BI, torch.ones_like(start_TB), start_TB)
