"""Recurrent weights with which a unit sees itself alone: with ReLU units, the IRNN.

    W = g 1      b = 0

A positive state is kept as it is where g = 1 and no input comes.

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
    """Every gate's block of W alike; a forget bias has to be set afterwards."""

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
