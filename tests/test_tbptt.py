"""Truncated back-propagation whose losses go back in groups: its windows and what it reduces to."""

from functools import partial

import pytest
import torch

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import problem, tbptt_reference
from lightning_modules.interfaces import Cell

FORMS = [(5, 3), (4, 4), (9, 2)]
ONES = (1,) * checks.LENGTH


def reference(horizon: int, stride: int, lengths: tuple[int, ...] | None = None):
    """Return the slow gradient for runs of these lengths."""
    return partial(tbptt_reference, horizon=horizon, stride=stride, lengths=lengths)


def runs_of(length: int, steps: int = checks.LENGTH) -> tuple[int, ...]:
    """Return runs of that length, and one of what is left."""
    whole, rest = divmod(steps, length)
    return (length,) * whole + (rest,) * (rest > 0)


@pytest.mark.parametrize(("horizon", "stride"), FORMS)
def test_the_losses_of_a_group_go_back_together(horizon: int, stride: int, cell: Cell) -> None:
    rule = TBPTT(horizon, stride)
    checks.whole_sequence(rule, cell, reference(horizon, stride))
    checks.carried_memory(rule, cell, reference(horizon, stride, checks.CHUNKS))


@pytest.mark.parametrize(("horizon", "stride"), FORMS)
def test_each_step_counts_with_the_weights_it_used_where_they_move_after_groups(
    horizon: int, stride: int, cell: Cell
) -> None:
    # Runs of one group, then of two, then of whatever is left.
    lengths = (stride,) * 2 + runs_of(2 * stride, checks.LENGTH - 2 * stride)
    checks.moving_weights(
        TBPTT(horizon, stride), cell, reference(horizon, stride, lengths), lengths
    )


def test_groups_of_one_step_are_the_sliding_window(cell: Cell) -> None:
    p = problem(cell, checks.LENGTH, checks.BATCH)
    # In runs of one step, a group of three never has more than one.
    of_groups, sliding = (checks.run_in_chunks(TBPTT(5, k), p, ONES) for k in (3, 1))
    whole_P = TBPTT(5, 1).gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
    for g_P, of_sliding_P in zip(of_groups, sliding, strict=True):
        checks.assert_near(cell, g_P, of_sliding_P)
    checks.assert_near(cell, torch.stack(of_groups).sum(0), whole_P)


def test_a_group_of_the_whole_sequence_is_bptt(cell: Cell) -> None:
    p = problem(cell, checks.LENGTH, checks.BATCH)
    for horizon in (checks.LENGTH, checks.LENGTH + 5):
        g_P, exact_P = (
            rule.gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
            for rule in (TBPTT(horizon, checks.LENGTH), BPTT())
        )
        checks.assert_near(cell, g_P, exact_P)


def test_a_stride_of_the_horizon_is_bptt_of_pieces_with_the_state_carried_on(cell: Cell) -> None:
    p, lengths = problem(cell, checks.LENGTH, checks.BATCH), runs_of(4)[:-1]
    p = p.chunk(0, sum(lengths))
    pieces = checks.run_in_chunks(BPTT(), p, lengths)
    for g_P, piece_P in zip(checks.run_in_chunks(TBPTT(4, 4), p, lengths), pieces, strict=True):
        checks.assert_near(cell, g_P, piece_P)
    whole_P = TBPTT(4, 4).gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
    checks.assert_near(cell, whole_P, torch.stack(pieces).sum(0))


def test_a_memory_of_groups_goes_on_from_pickle_as_without(cell: Cell) -> None:
    checks.pickled_memory(TBPTT(5, 3), cell, reference(5, 3))


@pytest.mark.parametrize(
    ("horizon", "stride", "message"),
    [
        (4, 0, r"^stride is 0: it must be at least 1$"),
        (0, 1, r"^horizon is 0: it must be at least 1$"),
        (3, 4, r"^stride is 4 and horizon is 3: [^\n]+ a horizon of at least the stride$"),
    ],
)
def test_windows_that_cannot_be_are_refused(horizon: int, stride: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TBPTT(horizon, stride)
