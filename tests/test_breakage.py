"""The checks fail where they should: on algorithms and cells that are broken on purpose."""

from collections.abc import Callable
from functools import partial

import pytest
import torch

from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import bptt_reference, rtrl_reference, tbptt_reference
from lightning_modules.interfaces import Algorithm
from tests import broken, online_checks
from tests import broken_approximations as approximate
from tests.approximations import leak_reference, snap_reference
from tests.cases import CELL_BUILDS

SNAP = partial(snap_reference, steps=1)
LEAK = partial(leak_reference, observed=False)
THREES = partial(tbptt_reference, horizon=5, stride=3)
THREES_OF_CHUNKS = partial(THREES, lengths=checks.CHUNKS)

BROKEN: list[tuple[Callable[[broken.Patch], Algorithm], checks.Check, checks.Reference]] = [
    (broken.no_memory, checks.every_step, rtrl_reference),
    (broken.no_memory, checks.carried_memory, rtrl_reference),
    (broken.no_memory_of_a_block, checks.carried_memory, rtrl_reference),
    (broken.resets_ignored, checks.whole_sequence, bptt_reference),
    (broken.resets_ignored_backwards, checks.whole_sequence, bptt_reference),
    (broken.block_closed_without_moving_on, checks.whole_sequence, bptt_reference),
    (broken.block_closed_without_moving_on, checks.every_step, rtrl_reference),
    (broken.block_forgets_what_came_before, checks.whole_sequence, bptt_reference),
    (broken.block_without_its_own_steps, checks.whole_sequence, bptt_reference),
    (broken.transposed_dense, checks.whole_sequence, bptt_reference),
    (broken.transposed_blocked, checks.every_step, rtrl_reference),
    (broken.stale_weights, checks.moving_weights, partial(tbptt_reference, horizon=3)),
    (broken.block_of_parameters_zero(0), checks.whole_sequence, bptt_reference),
    (broken.block_of_parameters_zero(1), checks.whole_sequence, bptt_reference),
    (broken.block_of_parameters_zero(2), checks.whole_sequence, bptt_reference),
    (broken.injects_inputs_alone, checks.whole_sequence, bptt_reference),
    (broken.one_sample_for_all, checks.whole_sequence, bptt_reference),
    (broken.one_step_back, checks.whole_sequence, partial(tbptt_reference, horizon=3)),
    (broken.one_step_back, checks.every_step, partial(tbptt_reference, horizon=2)),
    (broken.state_held_is_forgotten, checks.every_step, bptt_reference),
    (broken.cell_state_is_forgotten, checks.whole_sequence, bptt_reference),
    (broken.mask_ignored, checks.whole_sequence, bptt_reference),
    (broken.not_reset, checks.zero, rtrl_reference),
    (broken.cell_learns_too, checks.zero, rtrl_reference),
    (approximate.every_loss_on_its_own, checks.whole_sequence, THREES),
    (approximate.window_counted_from_the_first_loss, checks.whole_sequence, THREES),
    (approximate.groups_without_memory, checks.carried_memory, THREES_OF_CHUNKS),
    (approximate.groups_counted_from_the_memory, checks.carried_memory, THREES_OF_CHUNKS),
    (approximate.traces_forgotten, checks.carried_memory, SNAP),
    (approximate.leak_not_reset, checks.whole_sequence, LEAK),
    (approximate.blocks_of_a_unit_apart, checks.whole_sequence, SNAP),
    (approximate.blocks_of_a_unit_swapped, checks.whole_sequence, SNAP),
    (approximate.wrong_owner, checks.every_step, SNAP),
    (approximate.leak_with_recurrent_weights, checks.whole_sequence, LEAK),
    (approximate.one_step_further, checks.whole_sequence, SNAP),
    (broken.resets_ignored, online_checks.no_trace, rtrl_reference),
    (approximate.kronecker_without_resets, online_checks.no_trace, rtrl_reference),
    (broken.one_sample_for_all, online_checks.samples_apart, rtrl_reference),
    (approximate.signs_all_alike, checks.unbiased, rtrl_reference),
    (approximate.signs_all_alike_of_factors, checks.unbiased, rtrl_reference),
    (approximate.factors_that_do_not_cancel, checks.unbiased, rtrl_reference),
    (approximate.kronecker_factors_that_do_not_cancel, checks.unbiased, rtrl_reference),
    (approximate.estimate_forgotten, checks.unbiased, rtrl_reference),
    (approximate.kronecker_without_resets, checks.unbiased, rtrl_reference),
    (approximate.source_not_restored, checks.pickled_memory, rtrl_reference),
]


@pytest.mark.parametrize(("breaks", "check", "reference"), BROKEN)
def test_what_is_broken_on_purpose_is_caught(
    breaks: Callable[[broken.Patch], Algorithm],
    check: checks.Check,
    reference: checks.Reference,
    monkeypatch: broken.Patch,
) -> None:
    torch.manual_seed(0)
    algorithm, cell = breaks(monkeypatch), CELL_BUILDS["lstm"]()
    with pytest.raises(AssertionError, match="off"):
        check(algorithm, cell, reference)
