"""Pictures read row by row: T rows of I pixels in [0, 1], then, or all along, the class.

Training goes through the training part in a new order each epoch; what is left over from whole
batches waits for another epoch. The held-out pictures are the test part, as in the literature, so
nothing may be chosen by them: no early stopping, no best setting. Where fewer than all are asked
for they are spread evenly over it, the same for every seed (MNIST's first half is the easier one).

References:
    Le, Jaitly & Hinton (2015), arXiv:1504.00941, read pixel by pixel what is read by rows here.
"""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from lightning_modules.interfaces import Batch, Task
from pipeline.datasets._base import Images
from pipeline.tasks._common import HELD_OUT_BATCH, at_least, first_step, numbers

Labels = Literal["last", "every"]


class RowImages(Task):
    """The class of a picture, asked for at the last row or at every row."""

    loss = "cross_entropy"

    def __init__(
        self, images: Images, seed: int, batch_size: int, labels: Labels, held_out_size: int
    ):
        """``held_out_size`` counts pictures; no more are used than there are."""
        at_least(0, seed=seed)
        at_least(1, batch_size=batch_size, held_out_size=held_out_size)
        if batch_size > len(images.train_y_N):
            raise ValueError(
                f"batch_size is {batch_size}, there are {len(images.train_y_N)} images"
            )
        if labels not in get_args(Labels):
            raise ValueError(f"labels is {labels!r}, must be one of: {', '.join(get_args(Labels))}")
        self.input_size, self.output_size = images.train_x_NHW.shape[2], images.classes
        self._images, self._labels = images, labels
        self._seed, self._batch_size, self._held_out_size = seed, batch_size, held_out_size
        self._epoch = (-1, np.empty(0, np.int64))

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        at_least(0, index=index)
        epoch, place = divmod(index, len(self._images.train_y_N) // self._batch_size)
        if self._epoch[0] != epoch:
            order_N = numbers(self._seed, epoch).permutation(len(self._images.train_y_N))
            self._epoch = (epoch, order_N)
        chosen_B = self._epoch[1][place * self._batch_size : (place + 1) * self._batch_size]
        return self._read(self._images.train_x_NHW, self._images.train_y_N, chosen_B)

    def held_out(self) -> Iterator[Batch]:
        """Iterate over pictures of the test part."""
        size = len(self._images.test_y_N)
        wanted = min(self._held_out_size, size)
        chosen_N = np.arange(wanted) * size // wanted
        for start in range(0, wanted, HELD_OUT_BATCH):
            chosen_B = chosen_N[start : start + HELD_OUT_BATCH]
            yield self._read(self._images.test_x_NHW, self._images.test_y_N, chosen_B)

    def _read(self, x_NHW: Tensor, y_N: Tensor, chosen_B: np.ndarray) -> Batch:
        """Return the chosen pictures with time first."""
        chosen = torch.from_numpy(chosen_B)
        x_TBI = x_NHW[chosen].transpose(0, 1).contiguous().float() / 255
        T, B, _ = x_TBI.shape
        start_TB = first_step(T, B)
        mask_TB = start_TB.flip(0) if self._labels == "last" else torch.ones_like(start_TB)
        return Batch(x_TBI, y_N[chosen].repeat(T, 1), mask_TB, start_TB)
