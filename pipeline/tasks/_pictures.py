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

        ValueError for a size that cannot be.
        """
        there, held_out = len(images.train_y_N), len(images.test_y_N)
        asked = there if train_size is None else train_size
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, held_out_size=held_out_size, train_size=asked)
        of = images.provenance
        wanted = of.as_many(there, "pictures to learn from", train_size=asked)
        self._shown = of.as_many(held_out, "held-out pictures", held_out_size=held_out_size)
        if batch_size > wanted:
            raise ValueError(f"batch_size is {batch_size}, there are {wanted} images")
        self._images, self.trained = images, wanted
        drawn_N = np.arange(there) if train_size is None else numbers(seed).permutation(there)
        self._epochs = Epochs(seed, batch_size, drawn_N[:wanted])

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        chosen_B = self._epochs.batch(index)
        return self._read(self._images.train_x_NHW, self._images.train_y_N, chosen_B)

    def held_out(self) -> Iterator[Batch]:
        """Iterate over pictures of the test part."""
        chosen_N = np.arange(self._shown) * len(self._images.test_y_N) // self._shown
        for start in range(0, self._shown, HELD_OUT_BATCH):
            chosen_B = torch.from_numpy(chosen_N[start : start + HELD_OUT_BATCH])
            yield self._read(self._images.test_x_NHW, self._images.test_y_N, chosen_B)

    @abc.abstractmethod
    def _read(self, x_NHW: Tensor, y_N: Tensor, chosen_B: Tensor) -> Batch:
        """Return the chosen ones of a part."""
