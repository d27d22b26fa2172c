"""Exact learning of diagonal recurrences: what it carries, what it refuses, and when it breaks."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms import diagonal_rtrl
from lightning_modules.algorithms.diagonal_rtrl import DiagonalRTRL
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.cells.elstm import ELSTM
from lightning_modules.cells.gru import GRU
from lightning_modules.cells.leaky import Leaky
from lightning_modules.cells.residual import Residual
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import (
    bptt_reference,
    flat_weights,
    problem,
    rtrl_reference,
)
from lightning_modules.interfaces import Algorithm, Cell
from tests.cases import CELL_BUILDS, INPUTS, UNITS, case_of

Patch = pytest.MonkeyPatch
DIAGONAL = [name for name in CELL_BUILDS if case_of(name).diagonal]
REFUSES = pytest.raises(ValueError, match=r"^\w+ mixes its units, which diagonal_rtrl [^\n]+$")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", DIAGONAL)
def test_it_equals_dense_rtrl_while_weights_move_for_300_steps(name: str) -> None:
    p, rules = problem(CELL_BUILDS[name](), 300, 2), (RTRL(), DiagonalRTRL())
    weights_P, states, memories = flat_weights(p.cell), [p.s_BS, p.s_BS], [None, None]
    for t in range(300):
        part = p.chunk(t, t + 1)
        torch.nn.utils.vector_to_parameters(weights_P, p.cell.parameters())
        runs = [
            rule.run(p.cell, part.x_TBI, s_BS, part.credit, memory, part.resets_TB)
            for rule, s_BS, memory in zip(rules, states, memories, strict=True)
        ]
        states, memories = [run.state_BS for run in runs], [run.memory for run in runs]
        checks.assert_near(p.cell, runs[1].gradient_P, runs[0].gradient_P, 1e-11)
        weights_P = weights_P - 0.03 * runs[0].gradient_P


@pytest.mark.parametrize("name", DIAGONAL)
def test_it_carries_a_number_for_each_parameter_and_block_of_the_state(name: str) -> None:
    p = problem(CELL_BUILDS[name](), checks.LENGTH, checks.BATCH)
    memory = DiagonalRTRL().run(p.cell, p.x_TBI, p.s_BS, p.credit, None, p.resets_TB).memory
    blocks = p.cell.state_size // UNITS
    assert memory.shape == (checks.BATCH, blocks, len(flat_weights(p.cell)))
    assert memory.untyped_storage().nbytes() == 8 * memory.numel()


def test_its_memory_is_the_diagonal_of_dense_rtrl_s() -> None:
    p = problem(ELSTM(INPUTS, UNITS), checks.LENGTH, checks.BATCH)
    mine, (dense, _) = (
        rule.run(p.cell, p.x_TBI, p.s_BS, p.credit, None, p.resets_TB).memory
        for rule in (DiagonalRTRL(), RTRL())
    )
    by_block = dense[:, : p.cell.state_size].unflatten(1, (-1, UNITS))
    assert (by_block != 0).sum(2).max() == 1
    torch.testing.assert_close(mine, by_block.sum(2))


def test_recurrent_weights_are_refused_even_where_they_do_not_mix_units_yet() -> None:
    """A network that starts from the identity is diagonal until its weights move."""
    p = problem(SRN(INPUTS, UNITS, activation="relu"), checks.LENGTH, checks.BATCH)
    with torch.no_grad():
        dict(p.cell.named_parameters())["W"].copy_(torch.eye(UNITS))
    before = flat_weights(p.cell)
    with REFUSES:
        DiagonalRTRL().gradient(p.cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
    assert torch.equal(flat_weights(p.cell), before)


@pytest.mark.parametrize("units", [2, 64, 300])
def test_no_size_makes_units_that_mix_seem_apart(units: int) -> None:
    for cell in (SRN(1, units), GRU(1, units), Leaky(1, units), SRN(1, units, "relu")):
        x_TBI, s_BS = torch.zeros(1, 1, 1), torch.zeros(1, cell.state_size)
        with REFUSES:
            DiagonalRTRL().gradient(cell, x_TBI, s_BS, lambda _, s_BS: s_BS)


def test_asking_leaves_the_course_of_random_numbers_alone() -> None:
    p, before = problem(ELSTM(INPUTS, UNITS), 3, 1), torch.get_rng_state()
    DiagonalRTRL().gradient(p.cell, p.x_TBI, p.s_BS, p.credit)
    assert torch.equal(torch.get_rng_state(), before)


def test_diagonal_layers_one_above_the_other_mix_their_units() -> None:
    cell = Stack([Residual(INPUTS, UNITS), Residual(UNITS, UNITS)])
    p = problem(cell, checks.LENGTH, checks.BATCH)
    with REFUSES:
        DiagonalRTRL().gradient(cell, p.x_TBI, p.s_BS, p.credit)
    checks.whole_sequence(DiagonalRTRL(), Stack([ELSTM(INPUTS, UNITS)]), bptt_reference)


def test_a_refusal_says_what_to_take_instead() -> None:
    p = problem(SRN(INPUTS, UNITS), 3, 1)
    with pytest.raises(ValueError, match=r"SRN mixes .*: take rtrl or blocked_rtrl, or a cell"):
        DiagonalRTRL().gradient(p.cell, p.x_TBI, p.s_BS, p.credit)


def _forgets_its_memory(patch: Patch) -> tuple[Algorithm, Cell]:
    patch.setattr(diagonal_rtrl, "_by_unit", lambda *_: iter(()))
    return DiagonalRTRL(), ELSTM(INPUTS, UNITS)


def _takes_one_block_for_all(patch: Patch) -> tuple[Algorithm, Cell]:
    whole = diagonal_rtrl._rows

    def rows(s_BS: Tensor, H: int) -> Any:
        return iter([next(whole(s_BS, H))] * (s_BS.shape[-1] // H))

    patch.setattr(diagonal_rtrl, "_rows", rows)
    return DiagonalRTRL(), ELSTM(INPUTS, UNITS)


def _takes_rows_for_units(patch: Patch) -> tuple[Algorithm, Cell]:
    """The axes of blocks and units of a parameter are taken the wrong way round."""
    whole = diagonal_rtrl._by_unit

    def by_unit(cell: Cell, m: Tensor) -> Any:
        for of, a in whole(cell, m):
            G, H, A = a.shape[-3:]
            yield of, a.flatten(-3).unflatten(-1, (H, G, A)).transpose(-3, -2)

    patch.setattr(diagonal_rtrl, "_by_unit", by_unit)
    patch.setattr(diagonal_rtrl, "_is_by_unit", lambda *_: True)
    return DiagonalRTRL(), ELSTM(INPUTS, UNITS)


def _believes_anything(patch: Patch) -> tuple[Algorithm, Cell]:
    patch.setattr(diagonal_rtrl, "_is_diagonal", lambda *_: True)
    return DiagonalRTRL(), SRN(INPUTS, UNITS)


@pytest.mark.parametrize(
    ("breaks", "check"),
    [
        (_forgets_its_memory, checks.every_step),
        (_takes_one_block_for_all, checks.every_step),
        (_takes_rows_for_units, checks.every_step),
        (_believes_anything, checks.every_step),
    ],
)
def test_what_is_broken_on_purpose_is_caught(
    breaks: Callable[[Patch], tuple[Algorithm, Cell]], check: checks.Check, monkeypatch: Patch
) -> None:
    algorithm, cell = breaks(monkeypatch)
    with pytest.raises(AssertionError, match="off"):
        check(algorithm, cell, rtrl_reference)
