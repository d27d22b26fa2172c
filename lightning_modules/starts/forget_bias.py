"""A forget gate that starts open or shut.

    b_f = the bias

At a zero state without input a unit keeps sigmoid(b_f) of its content a step.

References:
    Gers, Schmidhuber & Cummins (2000), Learning to forget, Neural Computation 12(10).
    Jozefowicz, Zaremba & Sutskever (2015), An empirical exploration of recurrent network
        architectures, ICML: a forget bias of 1.
"""

from typing import final

import torch

from lightning_modules.interfaces import Cell
from lightning_modules.starts._start import Start, forgetting, layers


@final
class ForgetBias(Start):
    """The same bias for all units; of a GRU it is the update gate's."""

    def __init__(self, bias: float = 1.0):
        """``bias`` is that of the gate's argument."""
        self.bias = bias

    @torch.no_grad()
    def apply(self, cell: Cell) -> None:
        """Set b_f."""
        for layer in layers(cell):
            forgetting(layer).fill_(self.bias)
