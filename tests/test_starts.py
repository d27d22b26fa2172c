"""Where weights start from: what is set is what is said, and the rest is left alone."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.cells.ablated_lstm import AblatedLSTM
from lightning_modules.cells.coupled_lstm import CoupledLSTM
from lightning_modules.cells.elstm import ELSTM
from lightning_modules.cells.gru import GRU
from lightning_modules.cells.janet import JANET
from lightning_modules.cells.layer_norm_lstm import LayerNormLSTM
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.peephole_lstm import PeepholeLSTM
from lightning_modules.cells.residual import Residual
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Cell
from lightning_modules.starts import STARTS
from lightning_modules.starts._start import Start

H = 64
RECURRENT = (
    "gaussian",
    "identity",
    "orthogonal",
)
"""Starts of W alone, or of W and b, whose ``gain`` is the root of Σ_j W_ij² on average."""
KEEPERS: dict[str, tuple[Callable[[], Any], int, int | None]] = {
    "lstm": (lambda: LSTM(2, H), 1, 0),
    "peephole_lstm": (lambda: PeepholeLSTM(2, H), 1, 0),
    "elstm": (lambda: ELSTM(2, H), 1, 0),
    "coupled_lstm": (lambda: CoupledLSTM(2, H), 0, None),
    "janet": (lambda: JANET(2, H), 0, None),
    "without input": (lambda: AblatedLSTM(2, H, without="input"), 0, None),
    "without output": (lambda: AblatedLSTM(2, H, without="output"), 1, 0),
    "without input activation": (lambda: AblatedLSTM(2, H, without="input_activation"), 1, 0),
    "gru": (lambda: GRU(2, H), 2, None),
}
"""Cells that keep, with the blocks of b of the gate that does and of the input gate."""


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def _copies(cell: Cell) -> dict[str, Tensor]:
    return {name: w.detach().clone() for name, w in cell.named_parameters()}


def test_every_start_builds_without_arguments() -> None:
    assert set(STARTS) == {*RECURRENT, "forget_bias", "chrono"}
    assert all(isinstance(STARTS[name](), Start) for name in STARTS)


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_starts_set_every_block_of_w_and_leave_u_alone(name: str) -> None:
    cell = LSTM(3, H).double()
    before = _copies(cell)
    STARTS[name](gain=0.7).apply(cell)
    assert torch.equal(cell.U, before["U"])
    assert torch.equal(cell.b, before["b"]) == (name != "identity")
    blocks = cell.W.detach().split(H)
    for block_HH in blocks:
        size = block_HH.norm() / H**0.5  # 0.7 on average, a relative deviation of 1 / H√2
        assert abs(size / 0.7 - 1) < 5 / (H * 2**0.5)
    assert torch.equal(blocks[0], blocks[1]) == (name == "identity")


def test_an_orthogonal_start_has_all_singular_values_at_its_gain() -> None:
    cell = SRN(3, H).double()
    STARTS["orthogonal"](gain=1.3).apply(cell)
    sizes_H = torch.linalg.svdvals(cell.W.detach())
    torch.testing.assert_close(sizes_H, torch.full_like(sizes_H, 1.3), rtol=1e-12, atol=0)


def test_a_gaussian_start_spreads_eigenvalues_evenly_over_a_circle_of_its_gain() -> None:
    cell = SRN(3, 400).double()
    STARTS["gaussian"](gain=1.3).apply(cell)
    moduli_H = torch.linalg.eigvals(cell.W.detach()).abs() / 1.3
    assert moduli_H.max() < 1.1
    for share in (0.25, 0.5, 0.75):
        assert abs((moduli_H < share**0.5).double().mean() - share) < 0.03
    assert abs(cell.W.mean()) < 5 * 1.3 / 400**1.5


def test_an_identity_start_keeps_a_positive_state_of_relu_units() -> None:
    cell = SRN(3, H, activation="relu").double()
    STARTS["identity"]().apply(cell)
    s_BS = torch.rand(2, H).double()
    assert torch.equal(cell(torch.zeros(2, 3).double(), s_BS), s_BS)


@pytest.mark.parametrize("name", KEEPERS)
def test_a_forget_bias_is_set_where_the_cell_keeps_and_nowhere_else(name: str) -> None:
    build, keeps, _ = KEEPERS[name]
    cell = build()
    before = _copies(cell)
    STARTS["forget_bias"](bias=-0.8).apply(cell)
    expected = before["b"].view(-1, H).clone()
    expected[keeps] = -0.8
    assert torch.equal(cell.b.view(-1, H), expected)
    assert torch.equal(cell.U, before["U"])
    assert torch.equal(cell.W, before["W"])


@pytest.mark.parametrize("name", KEEPERS)
def test_a_chrono_start_spreads_lengths_evenly_and_shuts_the_input_gate_as_much(name: str) -> None:
    build, keeps, lets_in = KEEPERS[name]
    cell = build()
    before = _copies(cell)["b"].view(-1, H)
    STARTS["chrono"](longest=101).apply(cell)
    b_GH = cell.b.detach().view(-1, H)
    u_H = b_GH[keeps].exp()
    assert 1 <= u_H.min() < 15
    assert 85 < u_H.max() <= 100
    assert abs(u_H.mean() - 50.5) < 5 * 99 / (12 * H) ** 0.5
    for block in set(range(len(b_GH))) - {keeps, lets_in}:
        assert torch.equal(b_GH[block], before[block])
    if lets_in is not None:
        assert torch.equal(b_GH[lets_in], -b_GH[keeps])


@pytest.mark.parametrize("name", STARTS)
def test_a_start_reaches_every_layer_of_a_stack(name: str) -> None:
    stack = Stack([LSTM(2, 8), GRU(8, 6)])
    alone = [LSTM(2, 8), GRU(8, 6)]
    for mine, its in zip(alone, stack.cells, strict=True):
        mine.load_state_dict(its.state_dict())
    torch.manual_seed(1)
    STARTS[name]().apply(stack)
    torch.manual_seed(1)
    for cell in alone:
        STARTS[name]().apply(cell)
    for mine, its in zip(alone, stack.cells, strict=True):
        torch.testing.assert_close(its.state_dict(), mine.state_dict(), rtol=0, atol=0)


WRONG: Mapping[str, tuple[Callable[[], object], str]] = {
    "gain": (lambda: STARTS["gaussian"](gain=0.0), "gain is 0.0: it must be finite and above 0"),
    "nan": (lambda: STARTS["orthogonal"](gain=float("nan")), "gain is nan"),
    "longest": (lambda: STARTS["chrono"](longest=2), "longest is 2: it must be at least 3"),
    "nothing recurs": (lambda: STARTS["identity"]().apply(Residual(2, 3)), "Residual has no"),
    "nothing forgets": (lambda: STARTS["chrono"]().apply(SRN(2, 3)), "SRN has no gate"),
    "no forget gate": (
        lambda: STARTS["forget_bias"]().apply(AblatedLSTM(2, 3, without="forget")),
        "AblatedLSTM has no gate that says how much of the state is kept",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_start_that_cannot_be_is_refused_in_one_line(name: str) -> None:
    make, says = WRONG[name]
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        make()
    assert says in str(refused.value)


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("name", STARTS)
def test_a_cell_that_gives_forward_alone_is_refused_and_left_as_it_is(
    name: str, stacked: bool
) -> None:
    cell = Stack([LSTM(2, 2), LayerNormLSTM(2, 3)]) if stacked else LayerNormLSTM(2, 3)
    before = [w.clone() for w in cell.parameters()]
    with pytest.raises(ValueError, match=r"^LayerNormLSTM has no U, W and b that a start knows"):
        STARTS[name]().apply(cell)
    assert all(torch.equal(w, of) for w, of in zip(cell.parameters(), before, strict=True))
