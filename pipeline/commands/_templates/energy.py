"""Example: units whose energy is least at their biases; your network here.

    E(s) = ½ Σ_i (s_i - b_i)²        the gradient of ⟨E⟩ over data is b - ⟨x⟩

It learns the mean of its data. O(I) an example.

References:
    Hopfield (1982), Neural networks and physical systems with emergent collective computational
        abilities, PNAS 79(8): learning as shaping an energy.
"""

from typing import Any, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.energies._energy import Energy, Learned


@final
class Example(Energy):
    """Units that are not connected."""

    def __init__(self, input_size: int):
        """Build the network; ValueError if the size is not a whole number from 1 on."""
        super().__init__()
        whole(1, input_size=input_size)
        self.input_size = self.output_size = self.state_size = input_size
        self.b = nn.Parameter(torch.rand(input_size))

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return E, (N,)."""
        return (s_NS - self.b).square().sum(1) / 2

    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states of least energy, (N, S)."""
        return self.b.detach().expand_as(s_NS).clone()

    @torch.no_grad()
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return the gradient b - ⟨x⟩; targets and memory are not used."""
        del t_BO, memory
        return Learned([self.b - x_BI.mean(0)])

    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return the network's outputs, (N, I): the states of least energy."""
        return self.update(x_NI)
