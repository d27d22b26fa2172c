"""Truncated back-propagation through time, with a window that slides by ``stride`` steps.

The losses of each ``stride`` steps (k1) go back together from the last of them, step e, through
the last ``horizon`` steps (k2):

    v_t = c_t [t in the group] + v_{t+1} J_{t+1}    for t = e … e - horizon + 1
    dL/dw ≈ Σ_groups Σ_t (v_t C_t) ⊗ [x, h, 1]_t

A stride of 1 is BPTT(h): each loss looks back ``horizon`` steps, itself included. It is computed
lag by lag, all steps at once: ``horizon`` large products instead of T times ``horizon`` small ones.
A stride equal to the horizon is the usual form that cuts a sequence into chunks and carries the
state on; a horizon of the whole sequence is BPTT. O(n² horizon / stride) a step.

Groups are counted from the start of a run, and the last of a run may be shorter, so let runs be
multiples of ``stride`` steps. The last ``horizon`` - 1 steps are remembered from run to run, each
with the weights that it was made with, so runs of one step are the usual online form.

References:
    Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of
        recurrent network trajectories, Neural Computation 2(4): BPTT(h; h'), with h = 9.
    Sutskever (2013), Training recurrent neural networks, PhD thesis, University of Toronto:
        k1 and k2.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.algorithms._resets import without_what_resets_hide
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run, Trajectory


@final
class TBPTT(Algorithm):
    """The gradient through the last ``horizon`` steps of each group of ``stride`` losses."""

    claim = Claim.ALIGNED

    def __init__(self, horizon: int = 9, stride: int = 1):
        """Look back ``horizon`` steps, 1 being the present alone, once in ``stride`` steps."""
        for name, steps in (("horizon", horizon), ("stride", stride)):
            if steps < 1:
                raise ValueError(f"{name} is {steps}: it must be at least 1")
        if stride > horizon:
            raise ValueError(
                f"stride is {stride} and horizon is {horizon}: losses further back than the "
                "horizon would be lost, so take a horizon of at least the stride"
            )
        self.horizon, self.stride = horizon, stride

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
        """Go forward, then back from every group; the memory is the window's record."""
        new = cell.follow(x_TBI, s_BS, resets_TB)
        if memory is not None and new.resets_TB is not None:
            memory = memory.without(new.resets_TB[:1].expand(len(memory), -1))
        path = new if memory is None else memory.followed_by(new)
        u_TBZ = self._back(path, credits_of(credit, new.states_TBS))
        kept = path.part(max(0, len(path) - self.horizon + 1), len(path))
        if new.resets_TB is not None:
            kept = without_what_resets_hide(kept)
        return Run(path.gradient(u_TBZ), new.states_TBS[-1].clone(), _record(kept, memory), new)

    def _back(self, path: Trajectory, c_TBS: Tensor) -> Tensor:
        """Return the credits on all pre-activations, (T, B, Z)."""
        if len(path) <= self.horizon:
            return path.sweep(c_TBS)[0]
        return self._by_lag(path, c_TBS) if self.stride == 1 else self._by_group(path, c_TBS)

    def _by_lag(self, path: Trajectory, c_TBS: Tensor) -> Tensor:
        """Send each step's loss back on its own, all steps at once."""
        v_TBS = c_TBS.new_zeros(len(path), *c_TBS.shape[1:])
        v_TBS[-len(c_TBS) :] = c_TBS
        total_TBZ, before_TBS = path.pull(v_TBS)
        for _ in range(self.horizon - 1):
            v_TBS = torch.cat([before_TBS[1:], torch.zeros_like(before_TBS[:1])])
            u_TBZ, before_TBS = path.pull(v_TBS)
            total_TBZ += u_TBZ
        return total_TBZ

    def _by_group(self, path: Trajectory, c_TBS: Tensor) -> Tensor:
        """Send the losses of each group back together, one group after the other."""
        total_TBZ = c_TBS.new_zeros(len(path), c_TBS.shape[1], path.pre_activations)
        last = len(path) - len(c_TBS)
        for group_TBS in c_TBS.split(self.stride):
            last += len(group_TBS)
            first = max(0, last - self.horizon)
            total_TBZ[first:last] += path.part(first, last).sweep(group_TBS)[0]
        return total_TBZ


def _record(kept: Trajectory, memory: Any) -> Trajectory:
    """Return what to remember, in its own storage where the run began without a memory."""
    return kept if memory is not None else kept.part(0, 0).followed_by(kept)
