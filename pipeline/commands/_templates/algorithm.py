"""Example: the gradient of each loss through its own step alone; your method here.

    dL/dw ≈ Σ_t (c_t ds_t/dz_t) ⊗ [x_t, h_{t-1}, 1]

c_t is the derivative of step t's loss by s_t. O(n²) a step; no memory is carried on.

References:
    Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of
        recurrent network trajectories, Neural Computation 2(4): BPTT(h) with h = 1.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


@final
class Example(Algorithm):
    """The gradient through the last step alone."""

    claim = Claim.ALIGNED

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
        """Go forward through all steps; the memory is always None."""
        path = cell.follow(x_TBI, s_BS, resets_TB)
        u_TBZ, _ = path.pull(credits_of(credit, path.states_TBS))
        return Run(path.gradient(u_TBZ), path.states_TBS[-1].clone(), None, path)
