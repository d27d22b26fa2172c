"""Recurrent weights that connect each unit only to itself: with ReLU units, the IRNN.

    W = g 1      b = 0

With g = 1 ReLU units keep a positive state unchanged as long as there is no input.

References:
    Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear
        units, arXiv:1504.00941: g = 1, and input weights of deviation 0.001, which are left alone
        here.
"""

from typing import final

from torch import Tensor, nn

from lightning_modules.interfaces import Cell
from lightning_modules.starts._start import Start, layers, positive, set_recurrent


@final
class Identity(Start):
    """The same for every gate's block of W; as b is set to 0, set a forget bias afterwards."""

    def __init__(self, gain: float = 1.0):
        """``gain`` is g."""
        positive(gain=gain)
        self.gain = gain

    def apply(self, cell: Cell) -> None:
        """Set W and b."""

        def fill(W_HH: Tensor) -> None:
            W_HH.zero_().fill_diagonal_(self.gain)

        set_recurrent(cell, fill)
        for layer in layers(cell):
            nn.init.zeros_(layer.b)
