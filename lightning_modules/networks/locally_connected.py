"""One layer of local filters under a linear one: every position has weights of its own.

    h_fp = ReLU(Σ_a F_fpa x_pa + b_fp)        z = V h + c        a: pixel of p's patch

The units of ``convolutional`` without its sharing: Y·X times as many parameters below the readout.

References:
    LeCun (1989), Generalization and network design strategies, CRG-TR-89-4, University of Toronto.
"""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from lightning_modules.checks import whole
from lightning_modules.networks._pictures import PictureNetwork, positions


@final
class LocallyConnected(PictureNetwork):
    """Filters of each position's own, rectified, and a linear readout."""

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
        self.filters, self.activation = _Local(shape_CYX[0], maps, size, stride, Y * X), nn.ReLU()
        self.readout = nn.Linear(maps * Y * X, output_size)

    def see(self, x_NCYX: Tensor) -> Tensor:
        """Return the outputs, (N, O)."""
        return self.readout(self.activation(self.filters(x_NCYX)).flatten(1))


class _Local(nn.Module):
    """The layer: a convolution whose filters differ from place to place, (N, maps, places)."""

    def __init__(self, channels: int, maps: int, size: int, stride: int, places: int):
        super().__init__()
        self._size, self._stride, pixels = size, stride, channels * size * size
        self.weight_PAF = nn.Parameter(torch.empty(places, pixels, maps))
        self.bias_FP = nn.Parameter(torch.empty(maps, places))
        for weights in self.parameters():
            nn.init.uniform_(weights, -(pixels**-0.5), pixels**-0.5)

    def forward(self, x_NCYX: Tensor) -> Tensor:
        """Apply each place's filters to its patch."""
        patches_PNA = unfold(x_NCYX, self._size, stride=self._stride).permute(2, 0, 1)
        return torch.bmm(patches_PNA, self.weight_PAF).permute(1, 2, 0) + self.bias_FP

    def connections(self, positions: int) -> int:
        """Count them: a weight is a connection."""
        del positions
        return self.weight_PAF.numel() + self.bias_FP.numel()
