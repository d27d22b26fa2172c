"""How far errors flow back: decay that is known beforehand, and where LSTM's forget bias puts it.

The flow at step t is ‖∂L/∂h_t‖ for an L that the last state alone enters, T - t steps later.
"""

import pytest
import torch
from torch import Tensor

from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.residual import Residual
from lightning_modules.cells.srn import SRN
from lightning_modules.interfaces import Cell
from lightning_modules.starts import STARTS

T, B, INPUTS, UNITS = 40, 3, 2, 16


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def _flow(cell: Cell, x_TBI: Tensor, s_BS: Tensor) -> Tensor:
    """Return ‖∂L/∂h_t‖, (T + 1, B), the state before all steps first; it is 1 at the end."""
    H, c_1BS = cell.hidden_size, torch.zeros_like(s_BS).unsqueeze(0)
    c_1BS[..., :H] = torch.nn.functional.normalize(torch.randn_like(c_1BS[..., :H]), dim=-1)
    _, v_TBS = cell.follow(x_TBI, s_BS).sweep(c_1BS)
    return v_TBS[..., :H].norm(dim=-1)


def _driven(cell: Cell) -> Tensor:
    """Return the flow under random inputs from a random state."""
    x_TBI = torch.randn(T, B, INPUTS, dtype=torch.float64)
    return _flow(cell, x_TBI, torch.randn(B, UNITS, dtype=torch.float64))


@pytest.mark.parametrize("sigma", [0.5, 0.9, 1.0, 1.1])
def test_a_linear_orthogonal_recurrence_decays_exactly_by_its_gain(sigma: float) -> None:
    cell = SRN(INPUTS, UNITS, activation="linear").double()
    STARTS["orthogonal"](gain=sigma).apply(cell)
    lag_T1 = T - torch.arange(T + 1, dtype=torch.float64).unsqueeze(-1)
    expected_TB = (sigma**lag_T1).expand(-1, B)
    torch.testing.assert_close(_driven(cell), expected_TB, rtol=1e-12, atol=0)


@pytest.mark.parametrize("gain", [0.5, 1.0, 4.0, 20.0])
def test_logistic_units_pass_on_at_most_a_quarter_of_the_largest_singular_value(
    gain: float,
) -> None:
    cell = SRN(INPUTS, UNITS, activation="logistic").double()
    STARTS["gaussian"](gain=gain).apply(cell)
    flow_TB, sigma = _driven(cell), torch.linalg.matrix_norm(cell.W.detach(), 2)
    assert (flow_TB[:-1] / flow_TB[1:]).max() <= sigma / 4


def test_the_quarter_is_reached_where_logistic_units_are_half_open() -> None:
    cell = SRN(INPUTS, UNITS, activation="logistic").double()
    STARTS["orthogonal"](gain=3.0).apply(cell)
    half_BS = torch.full((B, UNITS), 0.5, dtype=torch.float64)
    with torch.no_grad():
        cell.b.copy_(-cell.W.sum(dim=1) / 2)
    flow_TB = _flow(cell, torch.zeros(T, B, INPUTS, dtype=torch.float64), half_BS)
    ratio_TB = flow_TB[:-1] / flow_TB[1:]
    torch.testing.assert_close(ratio_TB, torch.full_like(ratio_TB, 3 / 4), rtol=1e-12, atol=0)


def test_the_residual_keeps_the_norm_at_exactly_one() -> None:
    flow_TB = _driven(Residual(INPUTS, UNITS).double())
    assert torch.equal(flow_TB, flow_TB[-1].expand_as(flow_TB))
    torch.testing.assert_close(flow_TB[-1], torch.ones(B, dtype=torch.float64))


def _horizon(forget_bias: float, seeds: int) -> float:
    """Return the steps over which the flow falls by e, from its mean rate over networks.

    An LSTM at its start (weights uniform in ±1/√H, all biases too but the forget gate's), 128
    units, 32 standard normal inputs, 100 steps; the rate is the slope of log ‖∂L/∂h_t‖ over t, on
    average over a batch, away from both ends, where the flow has yet to turn to its slowest
    direction. It is the largest Lyapunov exponent. The content alone would forget faster, within
    1 / -log sigmoid(b) = .8, 1.4, 3.2, 7.9 steps: the rest comes back through the candidate.
    """
    rates, steps, first, last = [], 100, 20, 90
    t_T = torch.arange(first, last, dtype=torch.float64)
    t_T -= t_T.mean()
    for seed in range(seeds):
        torch.manual_seed(seed)
        cell = LSTM(32, 128, forget_bias=forget_bias).double()
        x_TBI = torch.randn(steps, 8, 32, dtype=torch.float64)
        flow_TB = _flow(cell, x_TBI, x_TBI.new_zeros(8, 256))
        log_T = flow_TB[first:last].log().mean(dim=1)
        rates.append(float(t_T @ log_T / (t_T @ t_T)))
    return seeds / sum(rates)


@pytest.mark.parametrize(("bias", "steps"), [(-1, 1.1), (0, 2.0), (1, 6.4), (2, 48)])
def test_the_forget_bias_sets_lstm_s_horizon_as_measured_before(bias: int, steps: float) -> None:
    assert abs(_horizon(bias, seeds=6) / steps - 1) < 0.2
