"""Example: recurrent weights drawn evenly; your start here.

    W_ij ~ U(-g √(3/H), g √(3/H))        so that E W_ij² = g²/H

At g = 1 it is what the paper gives a square matrix.

References:
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
        networks, AISTATS, equation 16.
"""

from typing import final

from torch import Tensor, nn

from lightning_modules.interfaces import Cell
from lightning_modules.starts._start import Start, positive, set_recurrent


@final
class Example(Start):
    """Every gate's block of W on its own."""

    def __init__(self, gain: float = 1.0):
        """``gain`` is g."""
        positive(gain=gain)
        self.gain = gain

    def apply(self, cell: Cell) -> None:
        """Draw W; ValueError for a cell that has none."""
        edge = 3**0.5 * self.gain

        def fill(W_HH: Tensor) -> None:
            nn.init.uniform_(W_HH, -edge * len(W_HH) ** -0.5, edge * len(W_HH) ** -0.5)

        set_recurrent(cell, fill)
