"""AlexNet: five convolutions in two groups, three full layers, rectified units.

    C1  96 maps,  11×11, every 4th     LRN, pooling        F6  4096, dropout
    C2  256 maps, 5×5, two groups      LRN, pooling        F7  4096, dropout
    C3  384 maps, 3×3, joined                              output
    C4  384 maps, 3×3, two groups
    C5  256 maps, 3×3, two groups      pooling

    LRN  b_i = a_i / (2 + 1e-4 Σ_j a_j²)^0.75      j: the five maps around i

A group sees the maps of its own device alone. On pictures of 3×224×224 with 1000 outputs it has
60,965,224 parameters, without groups 62,378,344. Every number of maps and units is multiplied by
``width``. Pooling is 3×3, every 2nd, as published, or 2×2, side by side, ``pooling=2``. Biases and
weights start as torch's layers do, not from N(0, 0.01²) and 1, which suits full width alone.

References:
    Krizhevsky, Sutskever & Hinton (2012), ImageNet classification with deep convolutional neural
        networks, NeurIPS.
"""

from collections import OrderedDict
from typing import final

from torch import Tensor, nn

from lightning_modules.checks import above, whole
from lightning_modules.networks._pictures import PictureNetwork


@final
class AlexNet(PictureNetwork):
    """The network of 2012, at any width and for pictures of any size that is large enough."""

    def __init__(
        self,
        shape_CYX: tuple[int, int, int] = (3, 224, 224),
        output_size: int = 1000,
        width: float = 1.0,
        groups: int = 2,
        pooling: int = 3,
        normalise: bool = True,
        dropout: float = 0.5,
    ):
        """``pooling`` is the window's size; ValueError for sizes that do not fit."""
        super().__init__(shape_CYX, output_size)
        whole(1, groups=groups)
        above(0, width=width)
        if pooling not in (2, 3):
            raise ValueError(
                f"pooling is {pooling}: it must be 2 (side by side) or 3 (overlapping)"
            )
        maps = [int(of * width) for of in (96, 256, 384, 384, 256)]
        if min(maps) < groups or any(of % groups for of in maps):
            raise ValueError(f"{maps} maps do not divide into {groups} groups")
        left = [_left(size, pooling) for size in shape_CYX[1:]]
        if min(left) < 1:
            raise ValueError(
                f"pictures of {tuple(shape_CYX)} are too small: nothing is left of them"
            )
        units, fed = int(4096 * width), maps[4] * left[0] * left[1]
        layers: dict[str, nn.Module] = {
            "C1": nn.Conv2d(shape_CYX[0], maps[0], 11, stride=4, padding=2),
            "f1": nn.ReLU(),
            "N1": _normalisation(normalise),
            "S1": nn.MaxPool2d(pooling, 2),
            "C2": nn.Conv2d(maps[0], maps[1], 5, padding=2, groups=groups),
            "f2": nn.ReLU(),
            "N2": _normalisation(normalise),
            "S2": nn.MaxPool2d(pooling, 2),
            "C3": nn.Conv2d(maps[1], maps[2], 3, padding=1),
            "f3": nn.ReLU(),
            "C4": nn.Conv2d(maps[2], maps[3], 3, padding=1, groups=groups),
            "f4": nn.ReLU(),
            "C5": nn.Conv2d(maps[3], maps[4], 3, padding=1, groups=groups),
            "f5": nn.ReLU(),
            "S5": nn.MaxPool2d(pooling, 2),
            "flat": nn.Flatten(),
            "D6": nn.Dropout(dropout),
            "F6": nn.Linear(fed, units),
            "f6": nn.ReLU(),
            "D7": nn.Dropout(dropout),
            "F7": nn.Linear(units, units),
            "f7": nn.ReLU(),
            "output": nn.Linear(units, output_size),
        }
        self.layers = nn.Sequential(OrderedDict(layers))

    def see(self, x_NCYX: Tensor) -> Tensor:
        """Return the outputs, (N, O)."""
        return self.layers(x_NCYX)


def _left(size: int, pooling: int) -> int:
    """Return how many rows or columns are left after the three poolings."""
    size = (size + 4 - 11) // 4 + 1
    for _ in range(3):
        size = (size - pooling) // 2 + 1
    return size


def _normalisation(there: bool) -> nn.Module:
    """Return LRN, whose sum torch divides by the number of maps, or nothing."""
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0) if there else nn.Identity()
