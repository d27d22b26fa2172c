"""LSTM with a part taken out, and LSTM of one gate alone: what each of them is a case of."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.ablated_lstm import AblatedLSTM
from lightning_modules.cells.coupled_lstm import CoupledLSTM
from lightning_modules.cells.gru import GRU
from lightning_modules.cells.janet import JANET
from lightning_modules.cells.lstm import LSTM
from lightning_modules.interfaces import Cell
from tests import formulas
from tests.cases import INPUTS, UNITS

T, B = 9, 3
ROWS = ("input", "forget", "output", "candidate")
"""LSTM's blocks of z."""
GATES = ROWS[:3]
OPEN = 50.0
"""A bias at which a gate is 1 in float64."""


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def _blocks(w: Tensor) -> dict[str, Tensor]:
    """Return LSTM's weights by what they lead to."""
    return dict(zip(ROWS, w.chunk(4), strict=True))


def _opened(gate: str) -> tuple[AblatedLSTM, LSTM]:
    """Return LSTM without a gate, and LSTM that holds it open, with the same weights."""
    ablated = AblatedLSTM(INPUTS, UNITS, without=gate).double()
    whole = LSTM(INPUTS, UNITS).double()
    with torch.no_grad():
        for mine, its in zip(ablated.parameters(), whole.parameters(), strict=True):
            blocks = _blocks(its)
            left = torch.cat([block for name, block in blocks.items() if name != gate])
            mine.copy_(left)
            blocks[gate].zero_()
        _blocks(whole.b)[gate].fill_(OPEN)
    return ablated, whole


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_taken_out_is_a_gate_held_open(gate: str) -> None:
    ablated, whole = _opened(gate)
    x_TBI = torch.randn(T, B, INPUTS, dtype=torch.float64)
    s_BS = torch.randn(B, 2 * UNITS, dtype=torch.float64)

    def credit(t: int, s_BS: Tensor) -> Tensor:
        return s_BS

    ours, its = (cell.follow(x_TBI, s_BS).states_TBS for cell in (ablated, whole))
    torch.testing.assert_close(ours, its, rtol=1e-13, atol=1e-13)
    of_whole_P = BPTT().gradient(whole, x_TBI, s_BS, credit)
    sizes = [w.numel() for w in whole.parameters()]
    left_P = torch.cat(
        [
            block.flatten()
            for g, w in zip(of_whole_P.split(sizes), whole.parameters(), strict=True)
            for name, block in _blocks(g.view_as(w)).items()
            if name != gate
        ]
    )
    torch.testing.assert_close(BPTT().gradient(ablated, x_TBI, s_BS, credit), left_P)


@pytest.mark.parametrize("without", [*GATES, "input_activation", "output_activation"])
def test_every_ablation_is_its_formula_and_has_the_gates_that_are_left(without: str) -> None:
    cell = AblatedLSTM(INPUTS, UNITS, without=without).double()
    x_TBI = torch.randn(T, B, INPUTS, dtype=torch.float64)
    path = cell.follow(x_TBI, x_TBI.new_zeros(B, 2 * UNITS))
    expected_TBH = formulas.ablated_lstm(cell, x_TBI)
    torch.testing.assert_close(path.states_TBS[..., :UNITS], expected_TBH, rtol=1e-12, atol=1e-12)
    assert list(path.gates()) == [gate for gate in GATES if gate != without]
    for gate_TBH in path.gates().values():
        assert gate_TBH.shape == (T, B, UNITS)
        assert ((gate_TBH > 0) & (gate_TBH < 1)).all()


def test_without_a_forget_gate_nothing_of_the_content_is_lost() -> None:
    cell = AblatedLSTM(INPUTS, UNITS, without="forget").double()
    path = cell.follow(torch.randn(T, B, INPUTS).double(), torch.randn(B, 2 * UNITS).double())
    held_TBKKH, _ = path.within()
    assert (held_TBKKH[:, :, 1, 1] == 1).all()


@pytest.mark.parametrize("without", ["input", "output", "input_activation", "output_activation"])
def test_the_forget_bias_goes_where_the_forget_gate_is(without: str) -> None:
    cell = AblatedLSTM(INPUTS, UNITS, without=without, forget_bias=2.5)
    with torch.no_grad():
        cell.U.zero_()
        cell.W.zero_()
    gates = cell.follow(torch.zeros(1, 1, INPUTS), torch.zeros(1, 2 * UNITS)).gates()
    at_bias = torch.tensor(2.5).sigmoid()
    for name, gate in gates.items():
        assert bool((gate == at_bias).all()) == (name == "forget")


def test_janet_without_beta_is_a_mean_of_what_was_and_what_comes() -> None:
    """That is LSTM with coupled gates, its output gate open and h = c."""
    cell = JANET(INPUTS, UNITS, beta=0.0).double()
    coupled = CoupledLSTM(INPUTS, UNITS).double()
    x_BI, h_BH = torch.randn(B, INPUTS).double(), torch.randn(B, UNITS).double()
    with torch.no_grad():
        for mine, its in zip(cell.parameters(), coupled.parameters(), strict=True):
            f, _, g = its.chunk(3)
            mine.copy_(torch.cat([f, g]))
    c_BH = coupled(x_BI, torch.cat([h_BH, h_BH], dim=-1))[:, UNITS:]
    torch.testing.assert_close(cell(x_BI, h_BH), c_BH)


def test_janet_with_beta_lets_its_content_grow_beyond_one() -> None:
    """At z = β / 2 a constant candidate of 1 leads to sigmoid(½) / (1 - sigmoid(½)) = e^½."""
    cell = JANET(INPUTS, UNITS, forget_bias=0.5).double()
    with torch.no_grad():
        cell.U.zero_()
        cell.W.zero_()
        cell.b[UNITS:] = OPEN
    x_TBI = torch.zeros(200, 1, INPUTS, dtype=torch.float64)
    last_BH = cell.follow(x_TBI, x_TBI.new_zeros(1, UNITS)).states_TBS[-1]
    limit = torch.tensor(0.5, dtype=torch.float64).exp()
    torch.testing.assert_close(last_BH, limit.expand_as(last_BH))


@pytest.mark.parametrize("bias", [-800.0, -30.0, 30.0, 800.0])
def test_janet_stays_finite_and_exact_where_its_gate_is_shut_or_wide_open(bias: float) -> None:
    cell = JANET(INPUTS, UNITS, forget_bias=bias).double()
    x_TBI, h_BH = torch.randn(1, B, INPUTS).double(), torch.randn(B, UNITS).double()
    path = cell.follow(x_TBI, h_BH)
    torch.testing.assert_close(path.states_TBS[0], cell(x_TBI[0], h_BH))
    assert path.sweep(torch.ones(1, B, UNITS).double())[0].isfinite().all()


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (LSTM, list(GATES)),
        (CoupledLSTM, ["forget", "output"]),
        (JANET, ["forget"]),
        (GRU, ["reset", "update"]),
    ],
)
def test_cells_name_their_gates(build: Callable[[int, int], Cell], names: list[str]) -> None:
    cell = build(INPUTS, UNITS)
    x_TBI = torch.randn(T, B, INPUTS)
    gates = cell.follow(x_TBI, torch.zeros(B, cell.state_size)).gates()
    assert list(gates) == names
    assert all(((gate > 0) & (gate < 1)).all() for gate in gates.values())
