"""Pictures read row by row: T rows of I pixels in [0, 1], then, or all along, the class.

References:
    Le, Jaitly & Hinton (2015), arXiv:1504.00941, read pixel by pixel what is read by rows here.
"""

from typing import Literal, get_args

import torch
from torch import Tensor

from lightning_modules.interfaces import Batch
from pipeline.data.sets._base import PictureSet
from pipeline.tasks._common import first_step
from pipeline.tasks._pictures import Pictures

Labels = Literal["last", "every"]


class RowImages(Pictures):
    """The class of a picture, asked for at the last row or at every row."""

    loss = "cross_entropy"

    def __init__(
        self,
        images: PictureSet,
        seed: int,
        batch_size: int,
        labels: Labels,
        held_out_size: int,
        train_size: int | None = None,
    ):
        """Ask at the ``labels`` rows; sizes count pictures."""
        super().__init__(images, seed, batch_size, held_out_size, train_size)
        if labels not in get_args(Labels):
            raise ValueError(f"labels is {labels!r}, must be one of: {', '.join(get_args(Labels))}")
        self.input_size, self.output_size = images.train_x_NHW.shape[2], images.classes
        self._labels = labels

    def _read(self, x_NHW: Tensor, y_N: Tensor, chosen_B: Tensor) -> Batch:
        """Return the chosen pictures with time first."""
        x_TBI = x_NHW[chosen_B].transpose(0, 1).contiguous().float() / 255
        T, B, _ = x_TBI.shape
        start_TB = first_step(T, B)
        mask_TB = start_TB.flip(0) if self._labels == "last" else torch.ones_like(start_TB)
        return Batch(x_TBI, y_N[chosen_B].repeat(T, 1), mask_TB, start_TB)
