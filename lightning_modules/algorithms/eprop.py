"""Eligibility propagation: local traces of a unit's hidden state, met by learning signals on h.

    ε_t = E_t ε_{t-1} + D_t        dL_t/dw = (dL_t/dh_t) ε_t[h]

ε is the eligibility vector of a unit's whole state, h and what is hidden behind it, along the
held part of the step: E = ds'/ds at fixed z, so what units tell each other through W h is left
out. The learning signal is the loss's own derivative by the observable h alone; a credit on
hidden state blocks is not used, as no synapse could see it.

The trace is RFLO's: Murray's leaky rate unit has one state variable, Bellec's several, and E
covers both. The two differ where a credit reaches hidden blocks (an LSTM's c), which only RFLO
takes in. O(K² P) a step, and O(K Z H) to read E off. Aligned; cells without units are refused.

References:
    Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein & Maass (2020), A solution to the
        learning dilemma for recurrent networks of spiking neurons, Nature Communications 11.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._traces import Traces, follow_traces, leaks, start_traces
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


@final
class EProp(Algorithm):
    """Eligibility traces times learning signals."""

    claim = Claim.ALIGNED

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Traces | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Carry each unit's eligibility; ValueError for a cell without units."""
        path = cell.follow(x_TBI, s_BS, resets_TB)
        signal_TBS = credits_of(credit, path.states_TBS).clone()
        signal_TBS[..., cell.hidden_size :] = 0
        memory = memory or start_traces(cell, path, s_BS)
        leak_TBKKH = leaks(cell, path, memory.units, s_BS, resets_TB)
        total_P, memory = follow_traces(path, signal_TBS, leak_TBKKH, memory)
        return Run(total_P, path.states_TBS[-1].clone(), memory)
