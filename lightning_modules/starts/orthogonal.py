"""Orthogonal recurrent weights times g: they scale the length of every vector by g.

    W = g Q      Q'Q = 1, Q uniform among orthogonal matrices

All singular values are g: after t linear steps a vector is g^t times as long.

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
    """Every gate's block of W is drawn independently."""

    def __init__(self, gain: float = 1.0):
        """``gain`` is g."""
        positive(gain=gain)
        self.gain = gain

    def apply(self, cell: Cell) -> None:
        """Draw W."""
        set_recurrent(cell, self._draw)

    def _draw(self, W_HH: Tensor) -> None:
        """Draw a block, at least in float32: smaller types have no linear algebra in torch."""
        full_HH = W_HH.to(torch.promote_types(W_HH.dtype, torch.float32))
        nn.init.orthogonal_(full_HH, self.gain)
        if full_HH is not W_HH:
            W_HH.copy_(full_HH)
