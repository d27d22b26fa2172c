"""One layer of shared filters under a linear one: every position is seen by the same weights.

    h = ReLU(F * x + b)        z = V h + c

F filters of ``size``×``size`` move by ``stride``. Of pictures with Y·X positions the layer has
F (C size² + 1) parameters, whatever Y and X: the same units with a filter of their own each are
``locally_connected``, with a weight for each pixel a dense layer, ``mlp``.

References:
    LeCun (1989), Generalization and network design strategies, CRG-TR-89-4, University of Toronto:
        dense, local and shared forms of one network side by side.
"""

from typing import final

from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.networks._pictures import PictureNetwork, positions


@final
class Convolutional(PictureNetwork):
    """Shared filters, rectified, and a linear readout."""

    def __init__(
        self,
        shape_CYX: tuple[int, int, int],
        output_size: int,
        maps: int = 8,
        size: int = 5,
        stride: int = 2,
    ):
        """Build it; ValueError where no filter fits."""
        super().__init__(shape_CYX, output_size)
        whole(1, maps=maps)
        Y, X = positions(shape_CYX, size, stride)
        self.filters, self.activation = nn.Conv2d(shape_CYX[0], maps, size, stride), nn.ReLU()
        self.readout = nn.Linear(maps * Y * X, output_size)

    def see(self, x_NCYX: Tensor) -> Tensor:
        """Return the outputs, (N, O)."""
        return self.readout(self.activation(self.filters(x_NCYX)).flatten(1))
