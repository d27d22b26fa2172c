"""An unrolled recurrent network whose steps share nothing: each has weights of its own.

    s_t = tanh(U_t x_t + W_t s_{t-1} + b_t)        z_t = V s_t + c

What a simple recurrent network would be without sharing over time: T times the parameters, and no
sequence longer than T.

References:
    Rumelhart, Hinton & Williams (1986), Learning internal representations by error propagation, in
        Parallel distributed processing 1: a recurrent network as a feed-forward one with tied
        weights.
"""

from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.checks import whole


@final
class Untied(nn.Module):
    """T steps of tanh units under one linear readout."""

    def __init__(self, input_size: int, output_size: int, hidden_size: int, length: int):
        """Build ``length`` steps, which start as torch's recurrent layers do."""
        super().__init__()
        whole(1, input_size=input_size, output_size=output_size)
        whole(1, hidden_size=hidden_size, length=length)
        of_x, of_s, bound = input_size, hidden_size, hidden_size**-0.5
        shapes = (length, hidden_size, of_x), (length, hidden_size, of_s), (length, hidden_size)
        self.U_THI, self.W_THH, self.b_TH = (nn.Parameter(torch.empty(s)) for s in shapes)
        for weights in self.parameters():
            nn.init.uniform_(weights, -bound, bound)
        self.activation, self.readout = nn.Tanh(), nn.Linear(hidden_size, output_size)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return every step's output, (T, B, O); ValueError for more steps than there are."""
        T, length = len(x_TBI), len(self.b_TH)
        if length < T:
            raise ValueError(f"a sequence of {T} steps: this network has weights for {length}")
        z_TBH = torch.baddbmm(self.b_TH[:T, None], x_TBI, self.U_THI[:T].mT)
        s_BH, states = torch.zeros_like(z_TBH[0]), []
        for z_BH, W_HH in zip(z_TBH.unbind(), self.W_THH.unbind(), strict=False):
            s_BH = self.activation(torch.addmm(z_BH, s_BH, W_HH.t()))
            states.append(s_BH)
        return self.readout(torch.stack(states))
