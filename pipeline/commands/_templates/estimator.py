"""Example: sweeps of sampling away from noise; your estimate here.

    v^(0) even bits        h^(i) ~ p(h | v^(i))        v^(i+1) ~ p(v | h^(i))
    g = ⟨∂F/∂θ⟩ over data - ⟨∂F/∂θ⟩ at v^(k)

Biased: the second phase averages over where k sweeps lead, which is the model's own distribution
as k grows.

Cost: O((k + 1) V H) an example.

Where we differ from the paper: sweeps in place of Langevin steps.

References:
    Nijkamp, Hill, Zhu & Wu (2019), Learning non-convergent non-persistent short-run MCMC toward
        energy-based model, NeurIPS, arXiv:1904.09770.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.energies._energy import Distribution, Estimator, Learned, bipartite, halves


@final
class Example(Estimator):
    """Short chains that start anew for each batch."""

    def __init__(self, sweeps: int = 10):
        """``sweeps`` is k; ValueError where that is no whole number from 1 on."""
        whole(1, sweeps=sweeps)
        self.sweeps = sweeps

    @torch.no_grad()
    def estimate(self, energy: Distribution, v_BV: Tensor, memory: Any = None) -> Learned:
        """Return its gradient; TypeError where the network is not bipartite."""
        net = bipartite(energy, "an estimate from noise")
        chain_BV = torch.randint_like(v_BV, 2)
        for _ in range(self.sweeps):
            chain_BV = net.sampled(net.hidden(chain_BV))
        gradient = net.slopes(torch.cat([v_BV, chain_BV]), halves(v_BV, len(chain_BV)))
        return Learned(gradient, memory, chain_BV)
