"""A reset forgets everything, finite or not, and is told in any type."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import Problem, flat_weights, problem
from lightning_modules.interfaces import Algorithm
from tests.cases import CELL_BUILDS, case_of
from tests.rules import BY_UNIT, RANDOM, WHOLE

CELLS = ("srn", "leaky", "lstm", "gru", "elstm", "stack")
RUNS = {"a run begins": ((1, 2, 1, 1, 3), 3), "a run goes on": ((2, 4, 2, 1), 4)}
"""Lengths of runs, and when the first sample is reset: at a run's start, or within one."""
PAIRS = [
    (name, cell)
    for name in ALGORITHMS
    for cell in (("elstm",) if name == "diagonal_rtrl" else CELLS)
    if case_of(cell).by_unit or name not in BY_UNIT
]


def _stream(cell: str, length: int, reset: int) -> Problem:
    """Return a stream without a reset but that one, of the first sample."""
    p = problem(CELL_BUILDS[cell](), length, 2)
    p.resets_TB.zero_()
    p.resets_TB[reset, 0] = True
    return p


def _gradients(rule: Algorithm, p: Problem, lengths: Sequence[int]) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return checks.run_in_chunks(rule, p, lengths)


@pytest.mark.parametrize("when", RUNS)
@pytest.mark.parametrize(("name", "cell"), PAIRS)
def test_what_is_not_finite_ends_at_a_reset(name: str, cell: str, when: str) -> None:
    _ends(ALGORITHMS[name], cell, *RUNS[when])


@pytest.mark.parametrize("cell", ["srn", "lstm"])
def test_what_is_not_finite_ends_at_a_reset_whose_steps_lie_in_spans(cell: str) -> None:
    _ends(lambda: BlockedRTRL(40), cell, (*(1,) * 20, 2, 1), 19)


def _ends(build: Callable[[], Algorithm], cell: str, lengths: Sequence[int], reset: int) -> None:
    """Assert that after the reset nothing is seen of a sample that began otherwise than finite."""
    p = _stream(cell, sum(lengths), reset)
    ended = next(i for i in range(len(lengths)) if sum(lengths[:i]) >= reset)
    for poison in (float("inf"), float("nan")):
        lost = p.s_BS.clone()
        lost[0] = poison
        expected, found = (
            _gradients(build(), dataclasses.replace(p, s_BS=s_BS), lengths)[ended:]
            for s_BS in (p.s_BS, lost)
        )
        assert len(found) > 1
        for g_P, exact_P in zip(found, expected, strict=True):
            checks.assert_near(p.cell, g_P, exact_P)
            assert g_P.isfinite().all()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_influence_that_overflowed_ends_at_a_reset(name: str) -> None:
    """Of a unit that doubles for ever, which a reset before the last two steps stops."""
    p = _stream("elstm" if name == "diagonal_rtrl" else "leaky", 8, 6)
    p.x_TBI[:6, 0] = float("inf")
    g_1, g_2 = _gradients(ALGORITHMS[name](), p, (3, 3, 1, 1))[2:]
    assert g_1.isfinite().all()
    assert g_2.isfinite().all()


FORMS = {name: build for name, (build, _) in WHOLE.items()} | RANDOM
RECURRENT: dict[str, Callable[[Any], torch.Tensor]] = {
    "srn-linear": lambda cell: cell.W,
    "elstm": lambda cell: cell.b[4 * cell.hidden_size :],
    "stack-forward_above": lambda cell: cell.cells[0].W,
}
"""Weights by which the influence of the others can be blown up."""
OVERFLOWING = [
    (name, cell)
    for name in FORMS
    for cell in RECURRENT
    if (case_of(cell).by_unit or name.split(",")[0] not in BY_UNIT)
    and (cell == "elstm" or name != "diagonal_rtrl")
]


@pytest.mark.parametrize("lengths", [(1,) * 9, (1, 1, 1, 1, 1, 3, 2, 1), (5, 3, 2, 1)])
@pytest.mark.parametrize(("name", "cell"), OVERFLOWING)
def test_an_influence_that_overflowed_beside_finite_states_ends_at_a_reset(
    name: str, cell: str, lengths: Sequence[int]
) -> None:
    """Of recurrent weights of 1e200 on states of zero; all are reset before step 6."""
    p = _stream(cell, sum(lengths), 6)
    p.resets_TB[6], p.mask_TB[:], p.x_TBI[:6], p.s_BS[:] = True, True, 0, 0
    ends, plain_P, found = torch.tensor(lengths).cumsum(0), flat_weights(p.cell), []
    ended = int((ends - torch.tensor(lengths) < 6).sum())
    for size in (0.0, 1e200):
        with torch.no_grad():
            for weights in p.cell.parameters():
                weights.zero_()
            RECURRENT[cell](p.cell).fill_(size)
        weights_RP = torch.where(ends[:, None] <= 6, flat_weights(p.cell), plain_P)
        torch.manual_seed(1)
        found.append(checks.run_in_chunks(FORMS[name](), p, lengths, weights_RP))
    if "rtrl" in name:
        assert not all(g_P.isfinite().all() for g_P in found[1][:ended])
    for g_P, exact_P in zip(found[1][ended:], found[0][ended:], strict=True):
        checks.assert_near(p.cell, g_P, exact_P)
        assert g_P.isfinite().all()


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32])
def test_resets_mean_the_same_in_every_type(name: str, dtype: torch.dtype) -> None:
    cell = CELL_BUILDS["elstm" if name == "diagonal_rtrl" else "lstm"]()
    p, rule = problem(cell, checks.LENGTH, checks.BATCH), ALGORITHMS[name]()
    found = []
    for resets_TB in (p.resets_TB, p.resets_TB.to(dtype)):
        torch.manual_seed(0)
        found.append(rule.gradient(cell, p.x_TBI, p.s_BS, p.credit, resets_TB))
    assert torch.equal(*found)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_callers_resets_stay_as_they_were(name: str) -> None:
    cell = CELL_BUILDS["elstm" if name == "diagonal_rtrl" else "srn"]()
    p = problem(cell, checks.LENGTH, checks.BATCH)
    before_TB = p.resets_TB.clone()
    _gradients(ALGORITHMS[name](), p, checks.CHUNKS)
    assert torch.equal(p.resets_TB, before_TB)
