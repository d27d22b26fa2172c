"""What is no gradient by its rule is aligned with it, equal to it on average, or zero."""

import pytest
import torch

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import problem, rtrl_reference
from lightning_modules.interfaces import Cell, Claim
from tests.cases import CellCase
from tests.rules import RANDOM, applies


@pytest.mark.parametrize("name", [n for n in ALGORITHMS if ALGORITHMS[n].claim is Claim.ALIGNED])
def test_an_aligned_gradient_turns_towards_the_exact_one(
    name: str, cell: Cell, case: CellCase
) -> None:
    with applies(name, case):
        checks.aligned(ALGORITHMS[name](), cell)


@pytest.mark.parametrize("name", [n for n in ALGORITHMS if ALGORITHMS[n].claim is Claim.ZERO])
def test_a_gradient_of_zero_leaves_the_states_to_the_cell(name: str, cell: Cell) -> None:
    checks.zero(ALGORITHMS[name](), cell, rtrl_reference)


@pytest.mark.parametrize("name", RANDOM)
def test_an_unbiased_gradient_is_exact_on_average(name: str, cell: Cell, case: CellCase) -> None:
    with applies(name, case):
        checks.unbiased(RANDOM[name](), cell, rtrl_reference, case.remembers)


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_estimate_goes_on_from_pickle_as_without(
    name: str, cell: Cell, case: CellCase
) -> None:
    with applies(name, case):
        checks.pickled_memory(RANDOM[name](), cell, rtrl_reference)


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_estimate_is_one_under_a_seed_and_another_under_the_next(
    name: str, cell: Cell, case: CellCase
) -> None:
    p, found = problem(cell, checks.LENGTH, checks.BATCH), []
    with applies(name, case):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            found.append(RANDOM[name]().gradient(cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB))
        assert torch.equal(found[0], found[1])
        assert torch.allclose(found[0], found[2]) is not case.remembers
