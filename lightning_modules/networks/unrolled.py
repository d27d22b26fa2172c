"""A cell unrolled over time under a linear readout, differentiated automatically.

    s_t = cell(x_t, s_{t-1})        z_t = V h_t + c        h = s[:H]

The plain reference with which the sequence learner is compared: T calls of the cell and one graph.

References:
    Werbos (1990), Backpropagation through time: what it does and how to do it, Proc. IEEE 78(10).
"""

import torch
from torch import Tensor, nn

from lightning_modules.interfaces import Cell


class Unrolled(nn.Module):
    """A recurrent network as one function of the whole sequence."""

    def __init__(self, cell: Cell, output_size: int):
        """Put a linear readout of ``output_size`` on ``cell``."""
        super().__init__()
        self.cell = cell
        weights = next(cell.parameters())
        self.readout = nn.Linear(cell.hidden_size, output_size, dtype=weights.dtype)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return every step's output from a zero state, (T, B, O)."""
        s_BS = x_TBI.new_zeros(x_TBI.shape[1], self.cell.state_size)
        states = []
        for x_BI in x_TBI.unbind():
            s_BS = self.cell(x_BI, s_BS)
            states.append(s_BS)
        return self.readout(torch.stack(states)[..., : self.cell.hidden_size])
