"""Back-propagation through time, written out: no autograd graph.

    v_t = c_t + v_{t+1} J_{t+1}        u_t = v_t ds_t/dz_t        dL/dw = Σ u_t ⊗ [x_t, h_{t-1}, 1]

c_t is the direct derivative ∂L_t/∂s_t, v_t the total one, dL/ds_t. O(n²) a step, and memory that
grows with the number of steps. Error does not go back beyond the start of a run.

References:
    Rumelhart, Hinton & Williams (1986), Learning internal representations by error propagation.
    Werbos (1990), Backpropagation through time: what it does and how to do it, Proc. IEEE 78(10).
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


@final
class BPTT(Algorithm):
    """The exact gradient of a whole run, backwards."""

    claim = Claim.EXACT

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Any = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Go forward through all steps, then back; the memory is always None."""
        path = cell.follow(x_TBI, s_BS, resets_TB)
        u_TBZ, total_TBS = path.sweep(credits_of(credit, path.states_TBS))
        return Run(path.gradient(u_TBZ), path.states_TBS[-1].clone(), None, path, total_TBS)
