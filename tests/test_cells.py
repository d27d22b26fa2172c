"""Every cell, held to what the contract says of it."""

from collections.abc import Callable

import pytest
import torch

from lightning_modules.cells import CELLS
from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.cells.lstm import LSTM
from lightning_modules.contracts import cells as contract
from lightning_modules.contracts.cells import B, T, point
from lightning_modules.interfaces import Cell
from tests.cases import CELL_BUILDS, CELL_CASES, INPUTS, UNITS, UNITWISE

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=CELL_BUILDS)
def cell(request: pytest.FixtureRequest) -> Cell:
    return CELL_BUILDS[request.param]().double()


@pytest.fixture(params=UNITWISE)
def unitwise(request: pytest.FixtureRequest) -> UnitwiseCell:
    cell = CELL_BUILDS[request.param]().double()
    assert isinstance(cell, UnitwiseCell)
    return cell


def test_every_cell_has_a_case() -> None:
    assert set(CELLS) == set(CELL_CASES)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_has_the_number_of_parameters_known_beforehand(name: str) -> None:
    case = CELL_CASES[name]
    assert isinstance(case.build(), CELLS[name])
    assert sum(w.numel() for w in case.build().parameters()) == case.parameters
    assert case.build().state_size == case.state_size


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_a_cell_keeps_what_every_cell_is_held_to(check: Callable[[Cell], None], cell: Cell) -> None:
    check(cell)


@pytest.mark.parametrize("check", contract.UNITWISE, ids=lambda check: check.__name__)
def test_a_unit_wise_cell_keeps_what_these_are_held_to(
    check: Callable[[UnitwiseCell], None], unitwise: UnitwiseCell
) -> None:
    check(unitwise)


def test_blocks_that_are_not_held_have_no_direct_influence(unitwise: UnitwiseCell) -> None:
    z_BZ, (_, s_BS) = torch.randn(B, len(unitwise.b), dtype=torch.float64), point(unitwise, B)
    _, E_BKKH = unitwise.derivatives_by_autograd(z_BZ, s_BS)
    for j in set(range(E_BKKH.shape[-2])) - set(range(E_BKKH.shape[-2])[unitwise.held]):
        assert E_BKKH[..., j, :].abs().max() == 0


@pytest.mark.parametrize("name", [name for name, case in CELL_CASES.items() if case.twin])
def test_outputs_equal_torch_s_own_layer(name: str) -> None:
    case, x_TBI = CELL_CASES[name], torch.randn(T, B, INPUTS, dtype=torch.float64)
    cell, twin = case.build().double(), case.twin
    assert twin is not None
    s_BS = torch.zeros(B, cell.state_size, dtype=torch.float64)
    h_TBH = cell.follow(x_TBI, s_BS).states_TBS[..., :UNITS]
    torch.testing.assert_close(h_TBH, twin(cell, x_TBI), rtol=1e-12, atol=1e-12)


def test_the_forget_bias_is_set_where_the_forget_gate_reads_it() -> None:
    b_GH = LSTM(INPUTS, UNITS, forget_bias=2.5).b.view(4, UNITS)
    assert (b_GH[1] == 2.5).all()
    assert (b_GH[[0, 2, 3]].abs() <= UNITS**-0.5).all()
    held = LSTM(INPUTS, UNITS, forget_bias=50.0).double()
    s_BS = torch.randn(B, 2 * UNITS, dtype=torch.float64)
    z_BZ = held.b.expand(B, -1).clone()
    z_BZ[:, :UNITS] = -50
    torch.testing.assert_close(held.update(z_BZ, s_BS)[:, UNITS:], s_BS[:, UNITS:])


@pytest.mark.parametrize(
    ("build", "says"), [wrong for case in CELL_CASES.values() for wrong in case.refused]
)
def test_a_bad_argument_is_refused_in_one_line(build: type[Cell], says: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        build()
    assert says in str(refused.value)
