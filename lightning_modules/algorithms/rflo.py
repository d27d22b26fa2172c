"""Random-feedback local online learning: traces that decay by each unit's own leak.

    m_t = E_t m_{t-1} + D_t        dL_t/dw = c_t m_t

This is SnAp-1 with the recurrent Jacobian replaced by the leak: what W h contributes to a unit's
own Jacobian is dropped. Murray's units are h' = (1 - 1/τ) h + f(W h + U x)/τ, whose leak is
1 - 1/τ. For any unit-wise cell it is E = ds'/ds at fixed z, (K × K) for each unit: what a unit
keeps of itself other than through its pre-activations (u in a GRU, f in an LSTM, 0 in an SRN,
which has no leak and so sees the present step alone).

The credit is the caller's: it may come through the readout's own weights or through random ones,
which were the paper's other half. O(K² P) a step, and O(K Z H) to compute E. Aligned: influence
that passes from unit to unit is dropped. Cells without units are refused.

References:
    Murray (2019), Local online learning in recurrent networks with random feedback, eLife 8.
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
        recurrent neural networks, JMLR 21.
"""

from typing import final

from torch import Tensor

from lightning_modules.algorithms._traces import TraceAlgorithm
from lightning_modules.interfaces import Trajectory


@final
class RFLO(TraceAlgorithm):
    """Traces that leak."""

    def carried(self, path: Trajectory) -> Tensor:
        """Return the leak E of each unit."""
        return path.within()[0]
