"""Recurrent weights that turn and mirror, and change every length by the same factor.

    W = g Q      Q'Q = 1, uniform among all such

All singular values are g: what goes through a linear unit t times is g^t as long.

References:
    Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep
        linear neural networks, ICLR, arXiv:1312.6120.
"""

from typing import final

from torch import nn

from lightning_modules.interfaces import Cell
from lightning_modules.starts._start import Start, positive, set_recurrent


@final
class Orthogonal(Start):
    """Every gate's block of W on its own."""

    def __init__(self, gain: float = 1.0):
        """``gain`` is g."""
        positive(gain=gain)
        self.gain = gain

    def apply(self, cell: Cell) -> None:
        """Draw W."""
        set_recurrent(cell, lambda W_HH: nn.init.orthogonal_(W_HH, self.gain))
