"""Truncated back-propagation through time, with a window that slides with every step.

The gradient of each step's loss looks back at most ``horizon`` steps, itself included:

    dL/dw ≈ Σ_t Σ_{lag < horizon} (c_t J_t … J_{t-lag+1} C_{t-lag}) ⊗ [x, h, 1]_{t-lag}

Over a long run this goes lag by lag, every step at once: ``horizon`` large products instead of
T times ``horizon`` small ones. The last ``horizon`` - 1 steps are remembered from run to run,
each with the weights that it was made with, so runs of one step are the usual online form.
A horizon of the whole sequence is BPTT.

References:
    Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of
        recurrent network trajectories, Neural Computation 2(4): BPTT(h), with h = 9.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run, Trajectory


@final
class TBPTT(Algorithm):
    """The gradient through the last ``horizon`` steps of each loss."""

    claim = Claim.ALIGNED

    def __init__(self, horizon: int = 9):
        """Look back ``horizon`` steps; 1 sees the present step alone."""
        if horizon < 1:
            raise ValueError(f"horizon is {horizon}: it must be at least 1")
        self.horizon = horizon

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Trajectory | None = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Go forward, then back from every step; the memory is the window's record."""
        new = cell.follow(x_TBI, s_BS, resets_TB)
        path = new if memory is None else memory.followed_by(new)
        c_TBS = credits_of(credit, new.states_TBS)
        within = len(path) <= self.horizon
        u_TBZ = path.sweep(c_TBS)[0] if within else self._by_lag(path, c_TBS)
        kept = path.part(max(0, len(path) - self.horizon + 1), len(path))
        return Run(path.gradient(u_TBZ), new.states_TBS[-1].clone(), _record(kept, memory))

    def _by_lag(self, path: Trajectory, c_TBS: Tensor) -> Tensor:
        """Return the credits on all pre-activations, each step's loss going back on its own."""
        v_TBS = c_TBS.new_zeros(len(path), *c_TBS.shape[1:])
        v_TBS[-len(c_TBS) :] = c_TBS
        total_TBZ, before_TBS = path.pull(v_TBS)
        for _ in range(self.horizon - 1):
            v_TBS = torch.cat([before_TBS[1:], torch.zeros_like(before_TBS[:1])])
            u_TBZ, before_TBS = path.pull(v_TBS)
            total_TBZ += u_TBZ
        return total_TBZ


def _record(kept: Trajectory, memory: Any) -> Trajectory:
    """Return what to remember, in storage of its own where the run began without a memory."""
    return kept if memory is not None else kept.part(0, 0).followed_by(kept)
