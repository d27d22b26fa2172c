"""Example: a simple recurrent network; your cell here.

    h' = tanh(W [x, h] + b)

O(n²) a step. The state is h alone, so S = H.

References:
    Elman (1990), Finding structure in time, Cognitive Science 14(2).
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.cells._forward import ForwardCell


@final
class Example(ForwardCell):
    """One affine map of input and state, squashed."""

    def __init__(self, input_size: int, hidden_size: int):
        """Build the cell; if the state is larger than h, pass ``state_size`` on the next line."""
        super().__init__(input_size, hidden_size)
        self.W = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x_BI: Tensor, s_BS: Tensor) -> Tensor:
        """Return h'."""
        return self.W(torch.cat([x_BI, s_BS], dim=-1)).tanh()
