"""Sparse n-step approximation with n = 1: the influence of each parameter on its own unit alone.

    m_t = J_own m_{t-1} + D_t        dL_t/dw = c_t m_t

J_own is ds'/ds within one unit, (K × K) for K state blocks, so m keeps the pattern of D, unit by
unit: (K × P) numbers. O(K² P) a step, and O(K Z H) to compute J_own. Exact where units do not
depend on each other, as in a diagonal recurrence. Elsewhere it drops what passes through other
units: aligned. It needs a cell whose parameters belong to one unit each, and refuses others.

References:
    Menick, Elsen, Evci, Osindero, Simonyan & Graves (2021), A practical sparse approximation for
        real time recurrent learning, ICLR, arXiv:2006.07232.
"""

from typing import final

from torch import Tensor

from lightning_modules.algorithms._traces import TraceAlgorithm, own_jacobians
from lightning_modules.interfaces import Trajectory


@final
class SnAp1(TraceAlgorithm):
    """The influence that stays within each unit."""

    def carried(self, path: Trajectory) -> Tensor:
        """Return J_own, ds'/ds within each unit."""
        return own_jacobians(path)
