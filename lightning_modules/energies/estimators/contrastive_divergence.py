"""Contrastive divergence, CD-k: the model's phase is k sweeps of Gibbs sampling away from the data.

    v^(0) = data        h^(i) ~ p(h | v^(i))        v^(i+1) ~ p(v | h^(i))
    g = ⟨∂F/∂θ⟩ at v^(0) - ⟨∂F/∂θ⟩ at v^(k)

Biased: the second phase averages over the data's distribution after k sweeps, p_0 T^k with T the
sweep's transition matrix, instead of over the model's own distribution, which that becomes as k
grows. The chain runs by samples of hidden units; the gradient uses their means.

Cost: O((k + 1) V H) an example.

Where we differ from the paper: reconstructions are samples, not means, so that the bias is that of
T^k exactly.

References:
    Hinton (2002), Training products of experts by minimizing contrastive divergence, Neural
        Computation 14(8).
    Carreira-Perpiñán & Hinton (2005), On contrastive divergence learning, AISTATS.
    Bengio & Delalleau (2009), Justifying and generalizing contrastive divergence, Neural
        Computation 21(6): the bias by exact transition matrices.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.energies._energy import Distribution, Estimator, Learned, bipartite, halves


@final
class ContrastiveDivergence(Estimator):
    """CD-k."""

    def __init__(self, sweeps: int = 1):
        """``sweeps`` is k; ValueError where that is no whole number from 1 on."""
        whole(1, sweeps=sweeps)
        self.sweeps = sweeps

    @torch.no_grad()
    def estimate(self, energy: Distribution, v_BV: Tensor, memory: Any = None) -> Learned:
        """Return its gradient; TypeError where the network is not bipartite."""
        net = bipartite(energy, "contrastive divergence")
        h_BH = h_CH = net.hidden(v_BV)
        chain_CV = v_BV
        for _ in range(self.sweeps):
            chain_CV = net.sampled(h_CH)
            h_CH = net.hidden(chain_CV)
        v_NV, h_NH = torch.cat([v_BV, chain_CV]), torch.cat([h_BH, h_CH])
        gradient = net.slopes_at(v_NV, h_NH, halves(v_BV, len(chain_CV)))
        return Learned(gradient, memory, chain_CV, h_BH)
