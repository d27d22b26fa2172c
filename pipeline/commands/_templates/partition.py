"""Example: importance sampling in one step; your way to ln Z here.

    w = p*_1(v) / p*_0(v)        v ~ p_0        ln Z ≈ ln Z_0 + ln mean w

An unbiased estimate of Z, as annealing in a single step; its error grows fast with the weights.

Cost: O(V H) a sample.

References:
    Salakhutdinov & Murray (2008), On the quantitative analysis of deep belief networks, ICML,
        section 3.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.energies.partitions._partition import Partition, Path, Summed, mean_of
from lightning_modules.energies.rbm import RBM


@final
class Example(Partition):
    """One step by many samples."""

    def __init__(self, samples: int = 20_000):
        """ValueError for less than two samples."""
        whole(2, samples=samples)
        self.samples = samples

    @torch.no_grad()
    def sum(self, net: RBM, v_NV: Tensor) -> Summed:
        """Return ln Z; the machine without weights has the means of ``v_NV``."""
        path = Path(net, v_NV)
        log_w_C, _ = path.rise(path.start(self.samples), 0, 1)
        log_mean, error = mean_of(log_w_C)
        return Summed(path.log_Z0 + log_mean, error)
