"""LeNet-5 with modern parts: rectified units, pooling without weights, a softmax at the end.

    C1  6 maps,  5×5 filters, kept in size by a border of zeros       S2  pooling
    C3  16 maps, 5×5 filters on all maps of S2                        S4  pooling
    C5  120 units    F6  84 units    output  linear

Pooling takes the ``maximum`` or the ``mean`` of adjacent windows; a last window that reaches over
the edge uses only the pixels inside.

References:
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11).
    Boureau, Ponce & LeCun (2010), A theoretical analysis of feature pooling in visual recognition,
        ICML: maximum against mean.
"""

from collections import OrderedDict
from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.networks._pictures import PictureNetwork
from lightning_modules.registry import nearest

POOLINGS = {"maximum": nn.MaxPool2d, "mean": nn.AvgPool2d}


@final
class ModernLeNet5(PictureNetwork):
    """LeNet-5's layers with the parts that have replaced its own."""

    def __init__(
        self,
        shape_CYX: tuple[int, int, int],
        output_size: int,
        pooling: str = "maximum",
        window: int = 2,
    ):
        """ValueError for an unknown pooling, or where ``window`` and pictures do not fit."""
        super().__init__(shape_CYX, output_size)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling {pooling!r} is unknown: {nearest(pooling, POOLINGS)}")
        whole(1, window=window)
        pool = POOLINGS[pooling]
        below: dict[str, nn.Module] = {
            "C1": nn.Conv2d(shape_CYX[0], 6, 5, padding=2),
            "f1": nn.ReLU(),
            "S2": pool(window, ceil_mode=True),
            "C3": nn.Conv2d(6, 16, 5),
            "f3": nn.ReLU(),
            "S4": pool(window, ceil_mode=True),
            "flat": nn.Flatten(),
        }
        after = [-(-size // window) - 4 for size in shape_CYX[1:]]
        if min(after) < 1:
            raise ValueError(f"window is {window}: too little is left of {tuple(shape_CYX)}")
        units = int(16 * torch.tensor([-(-size // window) for size in after]).prod())
        above: dict[str, nn.Module] = {
            "C5": nn.Linear(units, 120),
            "f5": nn.ReLU(),
            "F6": nn.Linear(120, 84),
            "f6": nn.ReLU(),
            "output": nn.Linear(84, output_size),
        }
        self.layers = nn.Sequential(OrderedDict(below | above))

    def see(self, x_NCYX: Tensor) -> Tensor:
        """Return the outputs, (N, O)."""
        return self.layers(x_NCYX)
