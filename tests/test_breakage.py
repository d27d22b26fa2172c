"""The checks fail where they should: on algorithms and cells that are broken on purpose."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms._block import Block
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.cells import _trajectory
from lightning_modules.cells._trajectory import UnitwiseTrajectory
from lightning_modules.interfaces import Algorithm, Cell, Claim, Run
from tests import checks
from tests.cases import CELL_BUILDS
from tests.references import bptt_reference, rtrl_reference, tbptt_reference

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


def _no_memory(patch: Patch) -> Algorithm:
    return Altered(RTRL(), memory=None)


def _no_memory_of_a_block(patch: Patch) -> Algorithm:
    return Altered(BlockedRTRL(5), memory=None)


def _resets_ignored(patch: Patch) -> Algorithm:
    return Altered(BPTT(), resets_TB=None)


def _resets_ignored_backwards(patch: Patch) -> Algorithm:
    _patch_init(patch, lambda cuts: [False] * len(cuts))
    return BPTT()


def _patch_init(patch: Patch, change: Callable[[list[bool]], list[bool]]) -> None:
    """Let trajectories believe other resets than the forward pass made."""
    whole = UnitwiseTrajectory.__init__

    def init(self: Any, a: Any, b: Any, c: Any, d: Any, cuts: list[bool], *rest: Any, **k: Any):
        whole(self, a, b, c, d, change(cuts), *rest, **k)

    patch.setattr(UnitwiseTrajectory, "__init__", init)


def _block_closed_without_moving_on(patch: Patch) -> Algorithm:
    def forget(self: Block, like_BS: Tensor) -> None:
        self.record, self._known = None, 0

    patch.setattr(Block, "move_on", forget)
    return BlockedRTRL(5)


def _block_forgets_what_came_before(patch: Patch) -> Algorithm:
    whole = Block.move_on

    def forget(self: Block, like_BS: Tensor) -> None:
        self.m_BSP = None
        whole(self, like_BS)

    patch.setattr(Block, "move_on", forget)
    return BlockedRTRL(5)


def _block_without_its_own_steps(patch: Patch) -> Algorithm:
    patch.setattr(UnitwiseTrajectory, "accumulate", lambda self, u, first, m: None)
    return BlockedRTRL(5)


def _transposed(patch: Patch) -> None:
    whole = UnitwiseTrajectory.jacobians

    def jacobians(self: Any, first: int, into_TBSS: Tensor) -> None:
        whole(self, first, into_TBSS)
        into_TBSS.copy_(into_TBSS.transpose(-1, -2).clone())

    patch.setattr(UnitwiseTrajectory, "jacobians", jacobians)


def _transposed_dense(patch: Patch) -> Algorithm:
    _transposed(patch)
    return RTRL()


def _transposed_blocked(patch: Patch) -> Algorithm:
    _transposed(patch)
    return BlockedRTRL(5)


def _stale_weights(patch: Patch) -> Algorithm:
    """Every recorded step is read with the newest weights."""
    whole = UnitwiseTrajectory.followed_by

    def followed_by(self: Any, then: Any) -> Any:
        joined = whole(self, then)
        joined._weights = [then._weights[-1]] * len(joined)
        return joined

    patch.setattr(UnitwiseTrajectory, "followed_by", followed_by)
    return TBPTT(3)


def _block_of_parameters_zero(first: int) -> Callable[[Patch], Algorithm]:
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


def _injects_inputs_alone(patch: Patch) -> Algorithm:
    whole = UnitwiseTrajectory.inject

    def inject(self: Any, t: int, m_BSP: Tensor) -> None:
        of_W = self._layout.maps[1].of
        before = m_BSP[..., of_W].clone()
        whole(self, t, m_BSP)
        m_BSP[..., of_W] = before

    patch.setattr(UnitwiseTrajectory, "inject", inject)
    return RTRL()


def _one_sample_for_all(patch: Patch) -> Algorithm:
    whole = UnitwiseTrajectory.accumulate

    def accumulate(self: Any, u_TBRZ: Tensor, first: int, m_BRP: Tensor) -> None:
        whole(self, u_TBRZ[:, :1].expand_as(u_TBRZ), first, m_BRP)

    patch.setattr(UnitwiseTrajectory, "accumulate", accumulate)
    return BlockedRTRL(5)


def _one_step_back(patch: Patch) -> Algorithm:
    return TBPTT(1)


def _state_held_is_forgotten(patch: Patch) -> Algorithm:
    """What passes from s to s' other than through z is dropped on the way back."""
    whole = _trajectory.pull_back

    def pull_back(v: Any, C: Any, E: Any, *rest: Any) -> Any:
        return whole(v, C, [[0 * a for a in of_j] for of_j in E], *rest)

    patch.setattr(_trajectory, "pull_back", pull_back)
    return BPTT()


def _mask_ignored(patch: Patch) -> Algorithm:
    return Altered(BPTT(), credit=None)


BROKEN: list[tuple[Callable[[Patch], Algorithm], checks.Check, checks.Reference]] = [
    (_no_memory, checks.every_step, rtrl_reference),
    (_no_memory, checks.carried_memory, rtrl_reference),
    (_no_memory_of_a_block, checks.carried_memory, rtrl_reference),
    (_resets_ignored, checks.whole_sequence, bptt_reference),
    (_resets_ignored_backwards, checks.whole_sequence, bptt_reference),
    (_block_closed_without_moving_on, checks.whole_sequence, bptt_reference),
    (_block_closed_without_moving_on, checks.every_step, rtrl_reference),
    (_block_forgets_what_came_before, checks.whole_sequence, bptt_reference),
    (_block_without_its_own_steps, checks.whole_sequence, bptt_reference),
    (_transposed_dense, checks.whole_sequence, bptt_reference),
    (_transposed_blocked, checks.every_step, rtrl_reference),
    (_stale_weights, checks.moving_weights, partial(tbptt_reference, horizon=3)),
    (_block_of_parameters_zero(0), checks.whole_sequence, bptt_reference),
    (_block_of_parameters_zero(1), checks.whole_sequence, bptt_reference),
    (_block_of_parameters_zero(2), checks.whole_sequence, bptt_reference),
    (_injects_inputs_alone, checks.whole_sequence, bptt_reference),
    (_one_sample_for_all, checks.whole_sequence, bptt_reference),
    (_one_step_back, checks.whole_sequence, partial(tbptt_reference, horizon=3)),
    (_one_step_back, checks.every_step, partial(tbptt_reference, horizon=2)),
    (_state_held_is_forgotten, checks.whole_sequence, bptt_reference),
    (_mask_ignored, checks.whole_sequence, bptt_reference),
]


@pytest.mark.parametrize(("breaks", "check", "reference"), BROKEN)
def test_what_is_broken_on_purpose_is_caught(
    breaks: Callable[[Patch], Algorithm],
    check: checks.Check,
    reference: checks.Reference,
    monkeypatch: Patch,
) -> None:
    torch.manual_seed(0)
    algorithm, cell = breaks(monkeypatch), CELL_BUILDS["lstm"]()
    with pytest.raises(AssertionError, match="off"):
        check(algorithm, cell, reference)
