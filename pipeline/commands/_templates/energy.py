"""Example: units that rest where their biases say, until it is what it is to be.

    E(s) = ½ Σ_i (s_i - b_i)²        the gradient of ⟨E⟩ over data is b - ⟨x⟩

So it learns the mean of its data. O(I) an example.

References:
    Hopfield (1982), Neural networks and physical systems with emergent collective computational
        abilities, PNAS 79(8): that what is learned is an energy.
"""

from typing import Any, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.energies._energy import Energy, Learned


@final
class Example(Energy):
    """Units that do not hear each other."""

    def __init__(self, input_size: int):
        """ValueError where the size is no whole number from 1 on."""
        super().__init__()
        whole(1, input_size=input_size)
        self.input_size = self.output_size = self.state_size = input_size
        self.b = nn.Parameter(torch.rand(input_size))

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return E, (N,)."""
        return (s_NS - self.b).square().sum(1) / 2

    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states of least energy."""
        return self.b.detach().expand_as(s_NS).clone()

    @torch.no_grad()
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return b - ⟨x⟩; targets are left unread, and nothing is carried on."""
        del t_BO, memory
        return Learned([self.b - x_BI.mean(0)])

    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return what stands for the input, (N, I): the states of least energy."""
        return self.update(x_NI)
