"""What networks of pictures share: flat rows of pixels become pictures again.

Further shape letters:
    N pictures, steps and samples together    C channels (maps)    Y X rows and columns
"""

import abc
import math

from torch import Tensor, nn

from lightning_modules.checks import whole, wholes


class PictureNetwork(nn.Module, abc.ABC):
    """A network that takes each step's input as a picture, for any leading axes.

    Attributes:
        shape_CYX: channels, rows and columns of the pictures.
        output_size: how many outputs a picture has.
    """

    def __init__(self, shape_CYX: tuple[int, int, int], output_size: int):
        """ValueError for a size that is no whole number of at least 1."""
        super().__init__()
        wholes(1, shape_CYX=shape_CYX)
        whole(1, output_size=output_size)
        self.shape_CYX, self.output_size = tuple(shape_CYX), output_size

    @property
    def input_size(self) -> int:
        """The number of pixels of all channels, I."""
        return math.prod(self.shape_CYX)

    @abc.abstractmethod
    def see(self, x_NCYX: Tensor) -> Tensor:
        """Return the outputs, (N, O)."""

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return the outputs, (T, B, O), of pictures whose pixels lie row by row."""
        z_NO = self.see(x_TBI.reshape(-1, *self.shape_CYX))
        return z_NO.reshape(*x_TBI.shape[:-1], self.output_size)


def positions(shape_CYX: tuple[int, int, int], size: int, stride: int) -> tuple[int, int]:
    """Return how many rows and columns of filters there are; ValueError if there is none."""
    whole(1, size=size, stride=stride)
    Y, X = ((of - size) // stride + 1 for of in shape_CYX[1:])
    if min(Y, X) < 1:
        raise ValueError(f"size is {size}: no filter fits into pictures of {tuple(shape_CYX)}")
    return Y, X
