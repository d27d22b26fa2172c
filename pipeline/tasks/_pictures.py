"""What the tasks made of pictures share: in which order they are shown, and which are held out.

Training goes through the training part epoch by epoch. The held-out pictures are the test part,
as in the literature, so nothing may be chosen by them: no early stopping, no best setting. Where
fewer than all are asked for they are spread evenly over it, the same for every seed (MNIST's first
half is the easier one).
"""

import abc
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.data.sets._base import PictureSet
from pipeline.tasks._common import HELD_OUT_BATCH, numbers
from pipeline.tasks._epochs import Epochs


class Pictures(Task):
    """Pictures and what is asked of them.

    Attributes:
        trained: how many are trained on.
    """

    def __init__(
        self,
        images: PictureSet,
        seed: int,
        batch_size: int,
        held_out_size: int,
        train_size: int | None = None,
    ):
        """Count pictures: ``train_size`` are drawn from the training part, None takes all.

        No more are used than there are. ValueError for a size that cannot be.
        """
        there = len(images.train_y_N)
        wanted = there if train_size is None else min(train_size, there)
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, held_out_size=held_out_size, train_size=wanted)
        if batch_size > wanted:
            raise ValueError(f"batch_size is {batch_size}, there are {wanted} images")
        self._images, self._held_out_size, self.trained = images, held_out_size, wanted
        drawn_N = np.arange(there) if train_size is None else numbers(seed).permutation(there)
        self._epochs = Epochs(seed, batch_size, drawn_N[:wanted])

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        chosen_B = self._epochs.batch(index)
        return self._read(self._images.train_x_NHW, self._images.train_y_N, chosen_B)

    def held_out(self) -> Iterator[Batch]:
        """Iterate over pictures of the test part."""
        size = len(self._images.test_y_N)
        wanted = min(self._held_out_size, size)
        chosen_N = np.arange(wanted) * size // wanted
        for start in range(0, wanted, HELD_OUT_BATCH):
            chosen_B = torch.from_numpy(chosen_N[start : start + HELD_OUT_BATCH])
            yield self._read(self._images.test_x_NHW, self._images.test_y_N, chosen_B)

    @abc.abstractmethod
    def _read(self, x_NHW: Tensor, y_N: Tensor, chosen_B: Tensor) -> Batch:
        """Return the chosen ones of a part."""
