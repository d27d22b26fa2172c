"""Every cell, held to what the contract says of it."""

import re

import pytest
import torch
from torch import Tensor

from lightning_modules.cells import CELLS
from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.cells.lstm import LSTM
from lightning_modules.interfaces import Cell
from tests.cases import CELL_BUILDS, CELL_CASES, INPUTS, UNITS, UNITWISE

pytestmark = pytest.mark.usefixtures("seeded")
T, B = 6, 3


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


def _point(cell: Cell, *leading: int) -> tuple[Tensor, Tensor]:
    """Random input and state."""
    x = torch.randn(*leading, INPUTS, dtype=torch.float64)
    return x, torch.randn(*leading, cell.state_size, dtype=torch.float64)


def test_every_cell_has_a_case() -> None:
    assert set(CELLS) == set(CELL_CASES)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_has_the_number_of_parameters_known_beforehand(name: str) -> None:
    case = CELL_CASES[name]
    assert isinstance(case.build(), CELLS[name])
    assert sum(w.numel() for w in case.build().parameters()) == case.parameters
    assert case.build().state_size == case.state_size


def test_parameters_are_named_and_ordered_as_in_the_textbook(unitwise: UnitwiseCell) -> None:
    assert [name for name, _ in unitwise.named_parameters()] == ["U", "W", "b"]
    assert unitwise.U.shape == (len(range(len(unitwise.b))[unitwise.input_rows]), INPUTS)
    assert unitwise.W.shape == (len(range(len(unitwise.b))[unitwise.recurrent_rows]), UNITS)


def test_weights_start_within_one_over_the_root_of_the_units(unitwise: UnitwiseCell) -> None:
    for weights in (w for w in (unitwise.U, unitwise.W) if w.numel() > 0):
        assert 0.2 * UNITS**-0.5 < weights.abs().max() <= UNITS**-0.5


def test_the_next_state_has_the_shape_and_type_of_the_state(cell: Cell) -> None:
    x_BI, s_BS = _point(cell, B)
    assert cell(x_BI, s_BS).shape == (B, cell.state_size)
    assert cell.float()(x_BI.float(), s_BS.float()).dtype == torch.float32


def test_samples_of_a_batch_do_not_see_each_other(cell: Cell) -> None:
    x_BI, s_BS = _point(cell, B)
    alone = torch.cat([cell(x_BI[b : b + 1], s_BS[b : b + 1]) for b in range(B)])
    torch.testing.assert_close(cell(x_BI, s_BS), alone)


def test_autograd_agrees_with_finite_differences(cell: Cell) -> None:
    x_BI, s_BS = _point(cell, B)
    weights = list(cell.parameters())

    def step(x: Tensor, s: Tensor, *w: Tensor) -> Tensor:
        names = [name for name, _ in cell.named_parameters()]
        return torch.func.functional_call(cell, dict(zip(names, w, strict=True)), (x, s))

    inputs = [x_BI.requires_grad_(), s_BS.requires_grad_(), *weights]
    assert torch.autograd.gradcheck(step, inputs, atol=1e-7)


def test_a_unit_of_the_update_depends_on_its_own_z_and_s_alone(unitwise: UnitwiseCell) -> None:
    z_Z, (_, s_S) = torch.randn_like(unitwise.b), _point(unitwise)
    for of in (0, 1):
        jacobian = torch.func.jacrev(unitwise.update, argnums=of)(z_Z, s_S)
        blocks = jacobian.unflatten(1, (-1, UNITS)).unflatten(0, (-1, UNITS))
        off_diagonal = blocks * (1 - torch.eye(UNITS, dtype=torch.float64))[None, :, None, :]
        assert jacobian.abs().max() > 0.01 or unitwise.held == slice(0, 0)
        assert off_diagonal.abs().max() == 0


def test_the_update_in_place_equals_the_pure_one(unitwise: UnitwiseCell) -> None:
    z_BZ, (_, s_BS) = torch.randn(B, len(unitwise.b), dtype=torch.float64), _point(unitwise, B)
    expected, next_BS = unitwise.update(z_BZ, s_BS), torch.empty_like(s_BS)
    unitwise.advance(z_BZ.clone(), s_BS, next_BS)
    torch.testing.assert_close(next_BS, expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("leading", [(B,), (T, B)])
def test_closed_derivatives_equal_automatic_ones(
    unitwise: UnitwiseCell, leading: tuple[int, ...]
) -> None:
    z = torch.randn(*leading, len(unitwise.b), dtype=torch.float64)
    _, s = _point(unitwise, *leading)
    C_by_autograd, E_by_autograd = UnitwiseCell.derivatives(unitwise, z, s, s)
    next_s = torch.empty_like(s)
    with torch.no_grad():
        unitwise.advance(z, s, next_s)
        C, E = unitwise.derivatives(z, s, next_s)
    torch.testing.assert_close(C, C_by_autograd, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(E.broadcast_to(E_by_autograd.shape), E_by_autograd)


def test_blocks_that_are_not_held_have_no_direct_influence(unitwise: UnitwiseCell) -> None:
    z_BZ, (_, s_BS) = torch.randn(B, len(unitwise.b), dtype=torch.float64), _point(unitwise, B)
    _, E_BKKH = unitwise.derivatives_by_autograd(z_BZ, s_BS)
    for j in set(range(E_BKKH.shape[-2])) - set(range(E_BKKH.shape[-2])[unitwise.held]):
        assert E_BKKH[..., j, :].abs().max() == 0


def test_following_equals_stepping_with_resets(cell: Cell) -> None:
    (x_TBI, _), (_, s_BS) = _point(cell, T, B), _point(cell, B)
    resets_TB = torch.rand(T, B) < 0.3
    path = cell.follow(x_TBI, s_BS, resets_TB)
    assert resets_TB.any()
    assert not path.states_TBS.requires_grad
    for t in range(T):
        s_BS = cell(x_TBI[t], s_BS * ~resets_TB[t, :, None])
        torch.testing.assert_close(path.states_TBS[t], s_BS, rtol=1e-13, atol=1e-14)


def test_what_does_not_fit_is_refused_in_one_line(cell: Cell) -> None:
    (x_TBI, _), (_, s_BS) = _point(cell, T, B), _point(cell, B)
    none_TB = torch.zeros(T, B, dtype=torch.bool)
    S = cell.state_size
    for given, says in (
        ((x_TBI[:0], s_BS), "there must be at least one step"),
        ((x_TBI[..., :2], s_BS), rf"x is \(6, 3, 2\): \w+ takes \(T, B, {INPUTS}\)"),
        ((x_TBI[0], s_BS), rf"x is \(3, 3\): \w+ takes \(T, B, {INPUTS}\)"),
        ((x_TBI, s_BS[:1]), rf"the state is \(1, {S}\): \w+ takes \(3, {S}\)"),
        ((x_TBI, s_BS[:, 1:]), rf"the state is \(3, {S - 1}\): \w+ takes \(3, {S}\)"),
        ((x_TBI, s_BS, none_TB[0]), r"resets are \(3,\): \(6, 3\) fits x"),
        ((x_TBI, s_BS, none_TB[:, :1]), r"resets are \(6, 1\): \(6, 3\) fits x"),
        ((x_TBI.float(), s_BS), "x is torch.float32, the state torch.float64, the weights"),
        ((x_TBI.float(), s_BS.float()), "the weights torch.float64: give all the same type"),
    ):
        with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
            cell.follow(*given)
        assert re.search(says, str(refused.value))


def test_following_leaves_its_arguments_alone(cell: Cell) -> None:
    (x_TBI, _), (_, s_BS) = _point(cell, T, B), _point(cell, B)
    before = x_TBI.clone(), s_BS.clone(), [w.clone() for w in cell.parameters()]
    path = cell.follow(x_TBI, s_BS, torch.ones(T, B, dtype=torch.bool))
    path.gradient(path.sweep(torch.ones_like(path.states_TBS))[0])
    torch.testing.assert_close((x_TBI, s_BS, list(cell.parameters())), before, rtol=0, atol=0)


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
