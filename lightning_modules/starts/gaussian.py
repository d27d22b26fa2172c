"""Recurrent weights drawn from a normal distribution.

    W_ij ~ N(0, g² / H)

The eigenvalues of a large W are spread evenly over a disc of radius g, the spectral radius.

References:
    Girko (1984), Circular law, Theory of Probability and its Applications 29(4).
    Sompolinsky, Crisanti & Sommers (1988), Chaos in random neural networks, Physical Review
        Letters 61(3): with tanh units, chaos from g = 1 on.
"""

from typing import final

from torch import nn

from lightning_modules.interfaces import Cell
from lightning_modules.starts._start import Start, positive, set_recurrent


@final
class Gaussian(Start):
    """Every gate's block of W is drawn independently."""

    def __init__(self, gain: float = 1.0):
        """``gain`` is g."""
        positive(gain=gain)
        self.gain = gain

    def apply(self, cell: Cell) -> None:
        """Draw W."""
        set_recurrent(cell, lambda W_HH: nn.init.normal_(W_HH, 0.0, self.gain * len(W_HH) ** -0.5))
