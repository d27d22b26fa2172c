"""Annealed importance sampling: from a machine without weights, whose Z is known, to the network.

    w = Π_k p*_(β_k)(v_(k-1)) / p*_(β_(k-1))(v_(k-1))        v_k ~ a sweep at β_k
    ln Z ≈ ln Z_0 + ln mean w

An unbiased estimate of Z; so its ln Z is too low on average, and likelihoods by it are too high:
states that the chains do not find are not counted. β rises evenly.

Cost: O(V H) a chain and temperature.

References:
    Neal (2001), Annealed importance sampling, Statistics and Computing 11.
    Salakhutdinov & Murray (2008), On the quantitative analysis of deep belief networks, ICML.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.energies.partitions._partition import Partition, Path, Summed, mean_of
from lightning_modules.energies.rbm import RBM


@final
class Annealed(Partition):
    """AIS by some chains over some temperatures."""

    def __init__(self, temperatures: int = 10_000, chains: int = 100):
        """ValueError for a number out of range."""
        whole(1, temperatures=temperatures)
        whole(2, chains=chains)
        self.temperatures, self.chains = temperatures, chains

    @torch.no_grad()
    def sum(self, net: RBM, v_NV: Tensor) -> Summed:
        """Return ln Z; the machine without weights has the means of ``v_NV``."""
        path = Path(net, v_NV)
        v_CV, K = path.start(self.chains), self.temperatures
        log_w_C = v_CV.new_zeros(self.chains, dtype=torch.float64)
        for k in range(1, K + 1):
            more_C, z_CH = path.rise(v_CV, (k - 1) / K, k / K)
            log_w_C += more_C
            if k < K:
                v_CV = path.step(z_CH, k / K)
        log_mean, error = mean_of(log_w_C)
        return Summed(path.log_Z0 + log_mean, error)
