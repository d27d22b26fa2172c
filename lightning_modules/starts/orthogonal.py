"""Recurrent weights that turn and mirror, and change every length by the same factor.

    W = g Q      Q'Q = 1, uniform among all such

All singular values are g: what goes through a linear unit t times is g^t as long.

References:
    Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep
        linear neural networks, ICLR, arXiv:1312.6120.
"""

from typing import final

import torch
from torch import Tensor, nn

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
        set_recurrent(cell, self._draw)

    def _draw(self, W_HH: Tensor) -> None:
        """Draw a block, in float32 where its type is less: there is no linear algebra below."""
        full_HH = W_HH.to(torch.promote_types(W_HH.dtype, torch.float32))
        nn.init.orthogonal_(full_HH, self.gain)
        if full_HH is not W_HH:
            W_HH.copy_(full_HH)
