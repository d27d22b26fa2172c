"""Chrono initialisation: forget biases that give units memories of many lengths.

    b_f = log u      u ~ uniform(1, T_max - 1)      b_i = -b_f

A unit that keeps sigmoid(b_f) = u / (1 + u) of its content at each step forgets it within about
1 + u steps, so lengths go from 2 steps to T_max. The input gate, if there is one, lets in the share
that is forgotten, 1 / (1 + u), so that the content keeps its size.

References:
    Tallec & Ollivier (2018), Can recurrent neural networks warp time?, ICLR, arXiv:1804.11188.
"""

from typing import final

import torch

from lightning_modules.interfaces import Cell
from lightning_modules.starts._start import Start, forgetting, gate_biases, layers


@final
class Chrono(Start):
    """Each unit draws a length of its own; in a GRU the update gate's biases are set."""

    def __init__(self, longest: int = 100):
        """``longest`` is T_max, the number of steps over which something has to be remembered."""
        if longest < 3:
            raise ValueError(f"longest is {longest}: it must be at least 3")
        self.longest = longest

    @torch.no_grad()
    def apply(self, cell: Cell) -> None:
        """Draw b_f and set b_i in every layer."""
        for layer in layers(cell):
            b_f = forgetting(layer)
            b_f.uniform_(1, self.longest - 1).log_()
            if (b_i := gate_biases(layer).get("input")) is not None:
                b_i.copy_(-b_f)
