"""Pictures seen whole: one step, all pixels in [0, 1], row by row; the class or the picture itself.

A ``size`` other than the pictures' own has them drawn larger or smaller, (size, size), by linear
interpolation, for networks that were made for larger ones.
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from lightning_modules.interfaces import Batch
from pipeline.data.sets._base import PictureSet as Data
from pipeline.tasks._common import first_step
from pipeline.tasks._pictures import Pictures

Targets = Literal["class", "picture"]


class Images(Pictures):
    """A picture, and what it shows, or the picture again.

    Attributes:
        shape_CYX: one channel, rows and columns.
    """

    def __init__(
        self,
        images: Data,
        seed: int,
        batch_size: int,
        held_out_size: int,
        targets: Targets = "class",
        size: int | None = None,
        train_size: int | None = None,
    ):
        """Ask for the ``targets``; all sizes but ``size`` count pictures."""
        super().__init__(images, seed, batch_size, held_out_size, train_size)
        if targets not in get_args(Targets):
            allowed = ", ".join(get_args(Targets))
            raise ValueError(f"targets is {targets!r}, must be one of: {allowed}")
        if size is not None and (size < 1 or size != int(size)):
            raise ValueError(f"size is {size}: it must be at least 1, or None")
        self._targets, self._size = targets, size
        Y, X = images.train_x_NHW.shape[1:] if size is None else (size, size)
        self.shape_CYX: tuple[int, int, int] = (1, Y, X)
        self.input_size = math.prod(self.shape_CYX)
        self.output_size = images.classes if targets == "class" else self.input_size
        self.loss = "cross_entropy" if targets == "class" else "squared_error"

    def _read(self, x_NHW: Tensor, y_N: Tensor, chosen_B: Tensor) -> Batch:
        """Return the chosen pictures as one step."""
        x_BHW = x_NHW[chosen_B].float() / 255
        if self._size is not None:
            x_BHW = interpolate(x_BHW.unsqueeze(1), (self._size, self._size), mode="bilinear")
        x_1BI = x_BHW.reshape(1, len(chosen_B), -1)
        y_TB = y_N[chosen_B].unsqueeze(0) if self._targets == "class" else x_1BI
        start_TB = first_step(1, len(chosen_B))
        return Batch(x_1BI, y_TB, torch.ones_like(start_TB), start_TB)
