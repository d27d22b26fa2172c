"""Which algorithm becomes which, named one by one, on every cell where it does."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.diagonal_rtrl import DiagonalRTRL
from lightning_modules.algorithms.rflo import RFLO
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.snap1 import SnAp1
from lightning_modules.algorithms.snap_n import SnApN
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import Problem, flat_weights, problem
from lightning_modules.interfaces import Algorithm
from tests.approximations import leak, snap_reference
from tests.cases import CELL_BUILDS, QUICK, UNITS, UNITWISE, case_of

Build = Callable[[], Algorithm]
DIAGONAL = [name for name in CELL_BUILDS if case_of(name).diagonal]
BY_UNIT = [name for name in CELL_BUILDS if case_of(name).by_unit]

REDUCTIONS: dict[str, tuple[Build, Build, list[str]]] = {
    "rtrl of a whole sequence is bptt": (RTRL, BPTT, QUICK),
    "blocked_rtrl in blocks of one step is rtrl": (lambda: BlockedRTRL(1), RTRL, QUICK),
    "tbptt of all steps is bptt": (lambda: TBPTT(checks.LENGTH), BPTT, QUICK),
    "tbptt of more than all steps is bptt": (lambda: TBPTT(1000), BPTT, QUICK),
    "snap_n of one step is snap1": (lambda: SnApN(1), SnAp1, BY_UNIT),
    "snap_n of as many steps as units is rtrl": (lambda: SnApN(UNITS), RTRL, BY_UNIT),
    "snap_n of a thousand steps is rtrl": (lambda: SnApN(1000), RTRL, BY_UNIT),
    "snap1 on diagonal cells is rtrl": (SnAp1, RTRL, DIAGONAL),
    "diagonal_rtrl on diagonal cells is rtrl": (DiagonalRTRL, RTRL, DIAGONAL),
    "diagonal_rtrl on diagonal cells is snap1": (DiagonalRTRL, SnAp1, DIAGONAL),
}
"""One algorithm, the other that it becomes, and the cells on which it does."""

CASES = [(name, cell_name) for name, (_, _, cells) in REDUCTIONS.items() for cell_name in cells]


@pytest.mark.parametrize(("name", "cell_name"), CASES)
def test_one_algorithm_becomes_another(name: str, cell_name: str) -> None:
    torch.manual_seed(0)
    p = problem(CELL_BUILDS[cell_name](), checks.LENGTH, checks.BATCH)
    one, other, _ = REDUCTIONS[name]
    checks.assert_near(p.cell, gradient(one(), p), gradient(other(), p))


@pytest.mark.parametrize("cell_name", UNITWISE)
def test_rflo_is_snap1_with_the_recurrent_jacobian_replaced_by_the_leak(cell_name: str) -> None:
    torch.manual_seed(0)
    p = problem(CELL_BUILDS[cell_name](), checks.LENGTH, checks.BATCH)
    weights_TP = flat_weights(p.cell).expand(checks.LENGTH, -1)
    of_leak_TP, of_snap1_TP = (
        snap_reference(p, weights_TP, steps=1, jacobian=jacobian)
        for jacobian in (leak(p.cell), None)
    )
    checks.assert_near(p.cell, gradient(RFLO(), p), of_leak_TP.sum(0))
    checks.assert_near(p.cell, gradient(SnAp1(), p), of_snap1_TP.sum(0))


def gradient(algorithm: Algorithm, p: Problem) -> Tensor:
    """Return the gradient of a whole sequence with resets and masks."""
    return algorithm.gradient(p.cell, p.x_TBI, p.s_BS, p.credit, p.resets_TB)
