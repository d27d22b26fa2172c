"""LeNet-5, as published in 1998.

    C1  6 maps,   5×5 filters                      C5  120 units on all of S4
    S2  6 maps,   sub-sampling by 2                F6  84 units
    C3  16 maps,  5×5 filters on some maps of S2   output  y_i = Σ_j (h_j - w_ij)²
    S4  16 maps,  sub-sampling by 2

    sub-sampling   f(a (sum of 2×2) + b), a and b trainable, one of each a map
    f(z) = 1.7159 tanh(2/3 z)

Pictures are padded by 2 to 32×32 and scaled from [0, 1] to -0.1 … 1.175, as in the paper. The
targets w_i of F6 are fixed pictures of the characters, 7×12, of -1 and 1, drawn anew here. The
outputs are -y, so that the largest is the answer. With ``rubbish`` j > 0, -j is in training an
eleventh output, the target of no picture, and the cross-entropy of the softmax over all eleven is
the paper's criterion (9),

    y_target + log(e^-j + Σ_i e^-y_i),

which pulls F6 to the target's picture until their distance is well below j; without ``rubbish`` it
is enough that the other pictures are farther. The paper leaves j open. 60,000 parameters, and
340,908 connections on one channel of 28×28. There is no training by second derivatives here.

References:
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11).
"""

from collections import OrderedDict
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, pad

from lightning_modules.checks import above
from lightning_modules.networks._characters import CHARACTERS, HEIGHT, WIDTH
from lightning_modules.networks._pictures import PictureNetwork

TABLE = (
    *[tuple((first + k) % 6 for k in range(3)) for first in range(6)],
    *[tuple((first + k) % 6 for k in range(4)) for first in range(6)],
    *[(first, first + 1, (first + 3) % 6, (first + 4) % 6) for first in range(3)],
    tuple(range(6)),
)
"""The maps of S2 that each map of C3 sees: the paper's table I."""
BACKGROUND, INK = -0.1, 1.175


@final
class LeNet5(PictureNetwork):
    """The network of 60,000 trainable parameters, for ten classes."""

    def __init__(
        self,
        shape_CYX: tuple[int, int, int] = (1, 28, 28),
        output_size: int = 10,
        rubbish: float | None = None,
    ):
        """``rubbish`` is j; None is without.

        ValueError unless pictures are of one channel of 28×28 and classes are ten.
        """
        if tuple(shape_CYX) != (1, 28, 28):
            raise ValueError(f"LeNet-5 sees pictures of (1, 28, 28), not of {tuple(shape_CYX)}")
        if output_size != len(CHARACTERS):
            raise ValueError(f"LeNet-5 has {len(CHARACTERS)} outputs, not {output_size}")
        if rubbish is not None:
            above(0, rubbish=rubbish)
        super().__init__(shape_CYX, output_size)
        self.rubbish, code = rubbish, HEIGHT * WIDTH
        layers: dict[str, nn.Module] = {
            "C1": nn.Conv2d(1, 6, 5),
            "f1": _Squash(),
            "S2": _SubSampling(6),
            "f2": _Squash(),
            "C3": _SomeMaps(TABLE, 5),
            "f3": _Squash(),
            "S4": _SubSampling(16),
            "f4": _Squash(),
            "C5": nn.Conv2d(16, 120, 5),
            "f5": _Squash(),
            "flat": nn.Flatten(),
            "F6": nn.Linear(120, code),
            "f6": _Squash(),
            "output": _Distances(CHARACTERS),
        }
        self.layers = nn.Sequential(OrderedDict(layers))
        for layer, inputs in ((0, 25), (2, 4), (4, 60 * 25 / 16), (6, 4), (8, 400), (11, 120)):
            for weights in self.layers[layer].parameters():
                nn.init.uniform_(weights, -2.4 / inputs, 2.4 / inputs)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return minus the distances to the characters, (T, B, 10); in training, -j after them."""
        z_TBO = super().forward(x_TBI)
        if self.rubbish is None or not self.training:
            return z_TBO
        return torch.cat([z_TBO, torch.full_like(z_TBO[..., :1], -self.rubbish)], dim=-1)

    def see(self, x_NCYX: Tensor) -> Tensor:
        """Return minus the distances to the characters, (N, 10)."""
        return self.layers(pad(x_NCYX, (2, 2, 2, 2)) * (INK - BACKGROUND) + BACKGROUND)


class _Squash(nn.Module):
    """The scaled tanh, with f(1) = 1 and f(-1) = -1."""

    def forward(self, z: Tensor) -> Tensor:
        """Return 1.7159 tanh(2/3 z)."""
        return 1.7159 * torch.tanh(2 / 3 * z)


class _SubSampling(nn.Module):
    """Sums of 2×2 pixels times a coefficient and plus a bias, one of each a map."""

    def __init__(self, maps: int):
        super().__init__()
        self.coefficient, self.bias = (nn.Parameter(torch.empty(maps)) for _ in range(2))

    def forward(self, x_NCYX: Tensor) -> Tensor:
        """Return half as many rows and columns."""
        sums_NCYX = 4 * avg_pool2d(x_NCYX, 2)
        return sums_NCYX * self.coefficient[:, None, None] + self.bias[:, None, None]

    def connections(self, positions: int) -> int:
        """Count them: four pixels and a bias for each unit."""
        return positions * len(self.bias) * 5


class _SomeMaps(nn.Module):
    """A convolution whose every map sees some maps of the layer below alone."""

    def __init__(self, table: tuple[tuple[int, ...], ...], size: int):
        super().__init__()
        below = 1 + max(m for seen in table for m in seen)
        pairs = [above * below + m for above, seen in enumerate(table) for m in seen]
        self.weight = nn.Parameter(torch.empty(len(pairs), size, size))
        self.bias = nn.Parameter(torch.empty(len(table)))
        self._shape = len(table), below, size, size
        self.register_buffer("pairs", torch.tensor(pairs), persistent=False)

    def forward(self, x_NCYX: Tensor) -> Tensor:
        """Convolve, with zeros for the filters that are not there."""
        maps, below, *size = self._shape
        filters = self.weight.new_zeros(maps * below, *size)
        filters = filters.index_copy(0, self.get_buffer("pairs"), self.weight)
        return conv2d(x_NCYX, filters.view(self._shape), self.bias)

    def connections(self, positions: int) -> int:
        """Count them: all parameters at every position."""
        return positions * (self.weight.numel() + len(self.bias))


class _Distances(nn.Module):
    """Minus squared distances to fixed points: radial basis functions under a logarithm."""

    def __init__(self, points: tuple[str, ...]):
        super().__init__()
        w_OH = [[1.0 if pixel == "#" else -1.0 for pixel in point] for point in points]
        self.register_buffer("w_OH", torch.tensor(w_OH))

    def forward(self, h_NH: Tensor) -> Tensor:
        """Return -Σ_j (h_j - w_ij)², (N, O)."""
        return -(h_NH.unsqueeze(1) - self.get_buffer("w_OH")).pow(2).sum(-1)

    def connections(self, positions: int) -> int:
        """Count them: all points' coordinates."""
        return positions * self.get_buffer("w_OH").numel()
