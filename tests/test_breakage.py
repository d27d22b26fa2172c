"""The checks fail where they should: on algorithms and cells that are broken on purpose."""

from collections.abc import Callable
from functools import partial

import pytest
import torch

from lightning_modules.interfaces import Algorithm
from tests import broken, checks
from tests.cases import CELL_BUILDS
from tests.references import bptt_reference, rtrl_reference, tbptt_reference

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
    (broken.state_held_is_forgotten, checks.whole_sequence, bptt_reference),
    (broken.mask_ignored, checks.whole_sequence, bptt_reference),
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
