"""Annealed importance sampling backwards: from states of the network to a machine without weights.

    w = Π_k p*_(β_(k-1))(v_k) / p*_(β_k)(v_k)        v_K a state of the network, v_(k-1) ~ a sweep
    ln Z ≈ ln Z_0 - ln mean w                        at β_(k-1)

An unbiased estimate of 1 / Z if v_K is a sample of the network; ln Z is then too high on average,
so that this and ``annealed`` bracket it. Exact samples are not available: chains start at the data
and run ``burn_in`` sweeps first.

Cost: O(V H) a chain and temperature.

References:
    Burda, Grosse & Salakhutdinov (2015), Accurate and conservative estimates of MRF log-likelihood
        using reverse annealing, AISTATS.
    Grosse, Ghahramani & Adams (2015), Sandwiching the marginal likelihood using bidirectional Monte
        Carlo, arXiv:1511.02543.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.energies.partitions._partition import Partition, Path, Summed, mean_of
from lightning_modules.energies.rbm import RBM


@final
class ReverseAnnealed(Partition):
    """The way back, by some chains over some temperatures."""

    def __init__(self, temperatures: int = 10_000, chains: int = 100, burn_in: int = 1000):
        """ValueError for a number out of range."""
        whole(1, temperatures=temperatures)
        whole(2, chains=chains)
        whole(0, burn_in=burn_in)
        self.temperatures, self.chains, self.burn_in = temperatures, chains, burn_in

    @torch.no_grad()
    def sum(self, net: RBM, v_NV: Tensor) -> Summed:
        """Return ln Z; chains start at examples of ``v_NV``, drawn at random."""
        path, K = Path(net, v_NV), self.temperatures
        v_CV = v_NV[torch.randint(len(v_NV), (self.chains,), device=v_NV.device)]
        for _ in range(self.burn_in):
            v_CV = net.sampled(net.hidden(v_CV))
        log_w_C = v_CV.new_zeros(self.chains, dtype=torch.float64)
        for k in range(K, 0, -1):
            more_C, z_CH = path.rise(v_CV, k / K, (k - 1) / K)
            log_w_C += more_C
            v_CV = path.step(z_CH, (k - 1) / K)
        log_mean, error = mean_of(log_w_C)
        return Summed(path.log_Z0 - log_mean, error)
