"""What is known of single cells beforehand: limits, bounds, and cells that are others' cases."""

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.coupled_lstm import CoupledLSTM
from lightning_modules.cells.diagonal import Diagonal
from lightning_modules.cells.elstm import ELSTM
from lightning_modules.cells.leaky import Leaky
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.peephole_lstm import PeepholeLSTM
from lightning_modules.cells.residual import Residual
from lightning_modules.cells.residual_recurrent import ResidualRecurrent
from lightning_modules.cells.srn import SRN
from lightning_modules.contracts._streams import flat_weights
from lightning_modules.interfaces import Cell
from tests.cases import INPUTS, UNITS

T, B = 9, 3


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def _inputs() -> Tensor:
    return torch.randn(T, B, INPUTS, dtype=torch.float64)


def _states(cell: Cell, x_TBI: Tensor) -> Tensor:
    return cell.follow(x_TBI, x_TBI.new_zeros(B, cell.state_size)).states_TBS


def _jacobians(cell: Cell, x_TBI: Tensor) -> Tensor:
    path = cell.follow(x_TBI, torch.randn(B, cell.state_size, dtype=torch.float64))
    j_TBSS = x_TBI.new_empty(T, B, cell.state_size, cell.state_size)
    path.jacobians(0, j_TBSS)
    return j_TBSS


def _gradient(cell: Cell, x_TBI: Tensor) -> Tensor:
    """Return the gradient of the sum of squares of h, (P,)."""
    H = cell.hidden_size

    def credit(t: int, s_BS: Tensor) -> Tensor:
        return torch.cat([2 * s_BS[:, :H], torch.zeros_like(s_BS[:, H:])], dim=-1)

    return BPTT().gradient(cell, x_TBI, x_TBI.new_zeros(B, cell.state_size), credit)


def test_the_residual_s_jacobian_is_the_identity() -> None:
    j_TBSS = _jacobians(Residual(INPUTS, UNITS).double(), _inputs())
    assert torch.equal(j_TBSS, torch.eye(UNITS, dtype=torch.float64).expand_as(j_TBSS))


def test_a_residual_network_without_recurrent_weights_is_the_residual() -> None:
    one, other = ResidualRecurrent(INPUTS, UNITS).double(), Residual(INPUTS, UNITS).double()
    with torch.no_grad():
        one.W.zero_()
        other.U.copy_(one.U)
        other.b.copy_(one.b)
    x_TBI = _inputs()
    torch.testing.assert_close(_states(one, x_TBI), _states(other, x_TBI), rtol=0, atol=1e-15)


def test_a_linear_network_without_input_multiplies_by_its_weights() -> None:
    cell = SRN(INPUTS, UNITS, activation="linear").double()
    with torch.no_grad():
        cell.b.zero_()
    s_BS = torch.randn(B, UNITS, dtype=torch.float64)
    states_TBS = cell.follow(torch.zeros_like(_inputs()), s_BS).states_TBS
    expected_BS = s_BS @ torch.linalg.matrix_power(cell.W.detach(), T).T
    torch.testing.assert_close(states_TBS[-1], expected_BS)
    j_TBSS = _jacobians(cell, _inputs())
    assert torch.equal(j_TBSS, cell.W.detach().expand_as(j_TBSS))


def test_leaky_units_that_forget_in_one_step_are_the_simple_network() -> None:
    leaky, srn = Leaky(INPUTS, UNITS, tau=2.0, dt=2.0).double(), SRN(INPUTS, UNITS).double()
    srn.load_state_dict(leaky.state_dict())
    x_TBI = _inputs()
    torch.testing.assert_close(_states(leaky, x_TBI), _states(srn, x_TBI), rtol=0, atol=1e-15)
    torch.testing.assert_close(_gradient(leaky, x_TBI), _gradient(srn, x_TBI))


def test_leaky_units_without_input_decay_by_one_minus_the_leak() -> None:
    cell = Leaky(INPUTS, UNITS, tau=5.0).double()
    with torch.no_grad():
        for weights in cell.parameters():
            weights.zero_()
    s_BS = torch.randn(B, UNITS, dtype=torch.float64)
    last_BS = cell.follow(_inputs(), s_BS).states_TBS[-1]
    torch.testing.assert_close(last_BS, 0.8**T * s_BS)


def test_lstm_with_diagonal_recurrent_weights_is_the_element_wise_one() -> None:
    elstm, lstm = ELSTM(INPUTS, UNITS).double(), LSTM(INPUTS, UNITS).double()
    w_GH = elstm.b.detach()[4 * UNITS :].view(4, UNITS)
    with torch.no_grad():
        lstm.U.copy_(elstm.U)
        lstm.W.copy_(torch.cat([torch.diag(w_H) for w_H in w_GH]))
        lstm.b.copy_(elstm.b[: 4 * UNITS])
    x_TBI = _inputs()
    torch.testing.assert_close(_states(elstm, x_TBI), _states(lstm, x_TBI))
    of_U = lstm.U.numel()
    torch.testing.assert_close(_gradient(elstm, x_TBI)[:of_U], _gradient(lstm, x_TBI)[:of_U])


def test_peepholes_of_zero_make_the_plain_lstm() -> None:
    one, other = PeepholeLSTM(INPUTS, UNITS).double(), LSTM(INPUTS, UNITS).double()
    with torch.no_grad():
        one.b[4 * UNITS :] = 0
        for mine, its in zip(one.parameters(), other.parameters(), strict=True):
            its.copy_(mine[: len(its)])
    x_TBI = _inputs()
    torch.testing.assert_close(_states(one, x_TBI), _states(other, x_TBI))
    P = len(flat_weights(other))
    torch.testing.assert_close(_gradient(one, x_TBI)[:P], _gradient(other, x_TBI))


def test_coupled_gates_keep_the_content_within_one() -> None:
    cell = CoupledLSTM(INPUTS, UNITS).double()
    with torch.no_grad():
        for weights in cell.parameters():
            weights *= 20
    s_BS = torch.empty(B, 2 * UNITS, dtype=torch.float64).uniform_(-1, 1)
    c_TBH = cell.follow(5 * _inputs(), s_BS).states_TBS[..., UNITS:]
    assert 0.9 < c_TBH.abs().max() <= 1


@pytest.mark.parametrize("build", [ELSTM, PeepholeLSTM, CoupledLSTM])
def test_content_is_forgotten_at_the_rate_of_the_forget_bias(
    build: type[ELSTM | PeepholeLSTM | CoupledLSTM],
) -> None:
    cell = build(INPUTS, UNITS, forget_bias=2.5).double()
    with torch.no_grad():
        for weights in cell.parameters():
            weights *= weights == 2.5
    s_BS = torch.randn(B, 2 * UNITS, dtype=torch.float64)
    c_TBH = cell.follow(_inputs(), s_BS).states_TBS[..., UNITS:]
    kept = torch.tensor(2.5, dtype=torch.float64).sigmoid()
    torch.testing.assert_close(c_TBH[-1], kept**T * s_BS[:, UNITS:])


@pytest.mark.parametrize("form", ["complex", "real"])
def test_no_eigenvalue_of_a_diagonal_recurrence_reaches_one(form: str) -> None:
    cell = Diagonal(INPUTS, UNITS, form=form).double()
    with torch.no_grad():
        cell.b.copy_(2 * torch.randn_like(cell.b))
    moduli = torch.linalg.eigvals(_jacobians(cell, _inputs())).abs()
    assert moduli.max() < 1
    blocks = cell.b.view(-1, UNITS)
    expected_H = torch.exp(-torch.exp(blocks[cell.state_size // UNITS]))
    torch.testing.assert_close(
        moduli[0, 0].sort().values,
        expected_H.detach().repeat(cell.state_size // UNITS).sort().values,
    )


@pytest.mark.parametrize("form", ["complex", "real"])
def test_a_diagonal_recurrence_starts_in_its_ring_and_normalised(form: str) -> None:
    H = 1000
    cell = Diagonal(INPUTS, H, form=form, r_min=0.9, r_max=0.99, max_phase=0.1)
    blocks = cell.b.detach().double().view(-1, H)[cell.state_size // H :]
    moduli = torch.exp(-torch.exp(blocks[0]))
    assert 0.8999 < moduli.min() < 0.905
    assert 0.985 < moduli.max() < 0.9901
    torch.testing.assert_close(
        blocks[-1].exp().square() + moduli.square(), torch.ones(H).double(), rtol=0, atol=1e-5
    )
    if form == "complex":
        assert 0.09 < blocks[1].exp().max() <= 0.10001
