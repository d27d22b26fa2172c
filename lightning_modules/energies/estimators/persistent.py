"""Persistent contrastive divergence, PCD-k: chains that go on from batch to batch.

    v ~ p(v | h), h ~ p(h | v)    k times, from where the chains stood at the batch before
    g = ⟨∂F/∂θ⟩ over data - ⟨∂F/∂θ⟩ over the chains

Where weights move slowly the chains stay near the model's own distribution, and the gradient is
nearly unbiased. Where they move fast the chains are outrun: updates raise the energy of the chains'
states faster than the chains can move away, and learning diverges. The probe ``chains`` says so.

There are ``chains`` of them, or as many as the first batch has examples; the number stays, whatever
the size of later batches. They start at the first batch and run by samples of hidden units; the
gradient uses the means.

Cost: O((k + 2) V H) an example, in products of both phases together.

References:
    Younes (1989), Parametric inference for imperfectly observed Gibbsian fields, Probability Theory
        and Related Fields 82.
    Tieleman (2008), Training restricted Boltzmann machines using approximations to the likelihood
        gradient, ICML.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.energies._energy import Distribution, Estimator, Learned, bipartite, halves


@final
class Persistent(Estimator):
    """PCD-k; its memory is the means of the chains' hidden units, (C, H)."""

    def __init__(self, sweeps: int = 1, chains: int | None = None):
        """``sweeps`` is k; ValueError for numbers out of range."""
        whole(1, sweeps=sweeps)
        if chains is not None:
            whole(1, "or None", chains=chains)
        self.sweeps, self.chains = sweeps, chains

    @torch.no_grad()
    def estimate(self, energy: Distribution, v_BV: Tensor, memory: Any = None) -> Learned:
        """Return its gradient; TypeError where the network is not bipartite."""
        net = bipartite(energy, "persistent contrastive divergence")
        h_CH = self._start(net.hidden(v_BV)) if memory is None else memory
        for _ in range(self.sweeps - 1):
            h_CH = net.hidden(net.sampled(h_CH))
        chain_CV = net.sampled(h_CH)
        v_NV = torch.cat([v_BV, chain_CV])
        h_NH = net.hidden(v_NV)
        gradient = net.slopes_at(v_NV, h_NH, halves(v_BV, len(chain_CV)))
        return Learned(gradient, h_NH[len(v_BV) :], chain_CV, h_NH[: len(v_BV)])

    def _start(self, h_BH: Tensor) -> Tensor:
        """Return where the chains start: at the batch's examples, repeated if there are too few."""
        count = len(h_BH) if self.chains is None else self.chains
        return h_BH[torch.arange(count, device=h_BH.device) % len(h_BH)]
