"""Eligibility propagation: local traces of a unit's hidden state, met by learning signals on h.

    ε_t = E_t ε_{t-1} + D_t        dL_t/dw = (dL_t/dh_t) ε_t[h]

ε is the eligibility vector of a unit's whole state: h and hidden blocks such as an LSTM's c. It is
carried by E = ds'/ds at fixed z, so what passes between units through W h is left out. The
learning signal is the direct derivative of the loss by h alone; credit on hidden blocks is not
used, as no synapse could see it.

The trace is that of ``rflo``: Murray's leaky rate unit has one state variable, Bellec's several,
and E covers both. The two rules differ where credit reaches hidden blocks, which only RFLO uses.
O(K² P) a step, and O(K Z H) to compute E. Aligned; cells without units are refused.

References:
    Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein & Maass (2020), A solution to the
        learning dilemma for recurrent networks of spiking neurons, Nature Communications 11.
"""

from typing import final

from torch import Tensor

from lightning_modules.algorithms._traces import TraceAlgorithm
from lightning_modules.interfaces import Cell, Trajectory


@final
class EProp(TraceAlgorithm):
    """Eligibility traces times learning signals."""

    def carried(self, path: Trajectory) -> Tensor:
        """Return E of each unit."""
        return path.within()[0]

    def met(self, cell: Cell, c_TBS: Tensor) -> Tensor:
        """Return the learning signals: the credit on h, and nothing on hidden blocks."""
        signal_TBS = c_TBS.clone()
        signal_TBS[..., cell.hidden_size :] = 0
        return signal_TBS
