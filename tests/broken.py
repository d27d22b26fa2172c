"""Algorithms and cells that are broken on purpose, one way each."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from lightning_modules.algorithms._block import Block
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.reservoir import Reservoir
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.cells import _kernels, _trajectory
from lightning_modules.cells._trajectory import UnitwiseTrajectory
from lightning_modules.contracts import _gradients as checks
from lightning_modules.interfaces import Algorithm, Cell, Claim, Run

Patch = pytest.MonkeyPatch


class Altered(Algorithm):
    """An algorithm whose arguments are tampered with; a credit of None is one without mask."""

    claim = Claim.EXACT

    def __init__(self, inner: Algorithm, **changed: Any):
        self.inner, self.changed = inner, changed

    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Any,
        memory: Any = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        given = {"credit": credit, "memory": memory, "resets_TB": resets_TB, **self.changed}
        if given["credit"] is None:
            p = credit.__self__
            given["credit"] = lambda t, s_BS: s_BS - p.target_TBS[t]
        return self.inner.run(cell, x_TBI, s_BS, **given)


def no_memory(patch: Patch) -> Algorithm:
    return Altered(RTRL(), memory=None)


def no_memory_of_a_block(patch: Patch) -> Algorithm:
    return Altered(BlockedRTRL(5), memory=None)


def resets_ignored(patch: Patch) -> Algorithm:
    return Altered(BPTT(), resets_TB=None)


def resets_ignored_backwards(patch: Patch) -> Algorithm:
    whole = UnitwiseTrajectory.sweep

    def sweep(self: Any, c_TBS: Tensor) -> Any:
        self._given = self._storage._replace(reset_TB1=None)
        return whole(self, c_TBS)

    patch.setattr(UnitwiseTrajectory, "sweep", sweep)
    return BPTT()


def block_closed_without_moving_on(patch: Patch) -> Algorithm:
    def forget(self: Block, like_BS: Tensor) -> None:
        self.__init__(self.sizes)

    patch.setattr(Block, "move_on", forget)
    return BlockedRTRL(5)


def block_forgets_what_came_before(patch: Patch) -> Algorithm:
    whole = Block.move_on

    def forget(self: Block, like_BS: Tensor) -> None:
        self.m_BSP = None
        whole(self, like_BS)

    patch.setattr(Block, "move_on", forget)
    return BlockedRTRL(5)


def block_without_its_own_steps(patch: Patch) -> Algorithm:
    patch.setattr(UnitwiseTrajectory, "accumulate", lambda self, u, first, m: None)
    return BlockedRTRL(5)


def _transposed(patch: Patch) -> None:
    whole = UnitwiseTrajectory.jacobians

    def jacobians(self: Any, first: int, into_TBSS: Tensor) -> None:
        whole(self, first, into_TBSS)
        into_TBSS.copy_(into_TBSS.transpose(-1, -2).clone())

    patch.setattr(UnitwiseTrajectory, "jacobians", jacobians)


def transposed_dense(patch: Patch) -> Algorithm:
    _transposed(patch)
    return RTRL()


def transposed_blocked(patch: Patch) -> Algorithm:
    _transposed(patch)
    return BlockedRTRL(5)


def stale_weights(patch: Patch) -> Algorithm:
    """Every recorded step is read with the newest weights."""
    whole = UnitwiseTrajectory.followed_by

    def followed_by(self: Any, then: Any) -> Any:
        joined = whole(self, then)
        joined._weights = [then._weights[-1]] * len(joined)
        return joined

    patch.setattr(UnitwiseTrajectory, "followed_by", followed_by)
    return TBPTT(3)


def block_of_parameters_zero(first: int) -> Callable[[Patch], Algorithm]:
    """One of U, W, b gets no immediate credit."""

    def build(patch: Patch) -> Algorithm:
        whole = UnitwiseTrajectory.gradient

        def gradient(self: Any, u_TBZ: Tensor) -> Tensor:
            lay, g_P = self._layout, whole(self, u_TBZ)
            g_P[(lay.maps[0].of, lay.maps[1].of, lay.of_b)[first]] = 0
            return g_P

        patch.setattr(UnitwiseTrajectory, "gradient", gradient)
        return BlockedRTRL(5)

    return build


def injects_inputs_alone(patch: Patch) -> Algorithm:
    whole = UnitwiseTrajectory.inject

    def inject(self: Any, t: int, m_BSP: Tensor) -> None:
        of_W = self._layout.maps[1].of
        before = m_BSP[..., of_W].clone()
        whole(self, t, m_BSP)
        m_BSP[..., of_W] = before

    patch.setattr(UnitwiseTrajectory, "inject", inject)
    return RTRL()


def one_sample_for_all(patch: Patch) -> Algorithm:
    whole = UnitwiseTrajectory.accumulate

    def accumulate(self: Any, u_TBRZ: Tensor, first: int, m_BRP: Tensor) -> None:
        whole(self, u_TBRZ[:, :1].expand_as(u_TBRZ), first, m_BRP)

    patch.setattr(UnitwiseTrajectory, "accumulate", accumulate)
    return BlockedRTRL(5)


def one_step_back(patch: Patch) -> Algorithm:
    return TBPTT(1)


def state_held_is_forgotten(patch: Patch) -> Algorithm:
    """What passes from s to s' other than through z is dropped on the way back."""
    whole = _kernels.pull_back

    patch.setattr(
        _kernels,
        "pull_back",
        lambda v, C, E, *rest: whole(v, C, [[0 * a for a in of_j] for of_j in E], *rest),
    )
    return TBPTT(checks.LENGTH)


def cell_state_is_forgotten(patch: Patch) -> Algorithm:
    """The same on the shorter way back."""
    whole = _trajectory.sweep_factored
    forget = lambda f, *rest: whole(f._replace(E_TBH=0 * f.E_TBH), *rest)  # noqa: E731
    patch.setattr(_trajectory, "sweep_factored", forget)
    return BPTT()


def not_reset(patch: Patch) -> Algorithm:
    return Altered(Reservoir(), resets_TB=None)


def cell_learns_too(patch: Patch) -> Algorithm:
    return BPTT()


def mask_ignored(patch: Patch) -> Algorithm:
    return Altered(BPTT(), credit=None)
