"""A constant bias of the forget gate, so that it starts open or closed.

    b_f = the bias

With a zero state and no input a unit keeps the share sigmoid(b_f) of its content at each step.

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
    """The same bias for all units; in a GRU it is the update gate's."""

    def __init__(self, bias: float = 1.0):
        """``bias`` is b_f, added before the sigmoid."""
        self.bias = bias

    @torch.no_grad()
    def apply(self, cell: Cell) -> None:
        """Set b_f in every layer."""
        for layer in layers(cell):
            forgetting(layer).fill_(self.bias)
