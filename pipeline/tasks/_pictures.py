"""What the tasks made of pictures share: in which order they are shown, and which are held out.

The held-out pictures, used to follow training and to choose settings, are taken from the training
part; training goes through the rest of it, epoch by epoch. As many pictures of the test part are
evaluated once, after training, and nothing may be chosen by them. Both are spread evenly over their
part and are the same for every seed (the first half of MNIST's test part is the easier one).
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
        """Count pictures: ``train_size`` are drawn from those not held out, None takes all.

        ``held_out_size`` are held out, and as many tested. ValueError for a size that cannot be.
        """
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, held_out_size=held_out_size)
        there, test, of = len(images.train_y_N), len(images.test_y_N), images.provenance
        most = min(test, there // 2)  # at least as many are learned from
        shown = of.as_many(most, "pictures to hold out", held_out_size=held_out_size)
        self._held_out_N, self._tested_N = _spread(shown, there), _spread(shown, test)
        left_N = np.delete(np.arange(there), self._held_out_N)
        asked = len(left_N) if train_size is None else train_size
        whole(1, train_size=asked)
        wanted = of.as_many(len(left_N), "pictures to learn from", train_size=asked)
        if batch_size > wanted:
            raise ValueError(f"batch_size is {batch_size}, there are {wanted} images")
        self._images, self.trained = images, wanted
        if train_size is not None:
            left_N = left_N[numbers(seed).permutation(len(left_N))]
        self._epochs = Epochs(seed, batch_size, left_N[:wanted])

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        chosen_B = self._epochs.batch(index)
        return self._read(self._images.train_x_NHW, self._images.train_y_N, chosen_B)

    def held_out(self) -> Iterator[Batch]:
        """Iterate over the pictures of the training part that are held out."""
        of = self._images
        return self._part(of.train_x_NHW, of.train_y_N, self._held_out_N)

    def test(self) -> Iterator[Batch]:
        """Iterate over pictures of the test part."""
        of = self._images
        return self._part(of.test_x_NHW, of.test_y_N, self._tested_N)

    def _part(self, x_NHW: Tensor, y_N: Tensor, chosen_N: np.ndarray) -> Iterator[Batch]:
        """Iterate over the chosen ones of a part."""
        for chosen_B in torch.from_numpy(chosen_N).split(HELD_OUT_BATCH):
            yield self._read(x_NHW, y_N, chosen_B)

    @abc.abstractmethod
    def _read(self, x_NHW: Tensor, y_N: Tensor, chosen_B: Tensor) -> Batch:
        """Return the chosen ones of a part."""


def _spread(chosen: int, there: int) -> np.ndarray:
    """Return the numbers of ``chosen`` pictures, spread evenly over those there are."""
    return np.arange(chosen) * there // chosen
