"""Blocked RTRL is exact by each tensor of parameters, at every scale that the type holds."""

import copy
import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms import _descent, _reach
from lightning_modules.algorithms._descent import Descent
from lightning_modules.algorithms._reach import Reach
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells import CELLS
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Cell

INPUTS, LENGTH, SMALL, ASKED, BATCH = 4, 70, 8, 64, 3
SINGLE, DOUBLE = torch.float32, torch.float64
SCALES = {
    SINGLE: (1e-40, 1e-36, 1e-30, 1e-25, 1e-15, 1e20, 1e30),
    DOUBLE: (1e-300, 1e-250, 1e-200, 1e-100, 1e160, 1e290),
}


def _blocked(
    cell: Cell, x_TBI: Tensor, c_TBS: Tensor, lengths: Sequence[int], block: int | None = None
) -> Tensor:
    """Return the gradient of a stream that is taken in runs."""
    rule, s_BS, memory, first = BlockedRTRL(block), c_TBS.new_zeros(c_TBS.shape[1:]), None, 0
    total_P = torch.zeros(())
    for length in lengths:
        c, x = c_TBS[first : first + length], x_TBI[first : first + length]
        run = rule.run(cell, x, s_BS, lambda t, _, c=c: c[t], memory)
        s_BS, memory, first = run.state_BS, run.memory, first + length
        total_P = total_P + run.gradient_P
    return total_P


def _exact(cell: Cell, x_TBI: Tensor, c_TBS: Tensor) -> Tensor:
    """Return what it must be, by back-propagation in float64."""
    cell, c_TBS = copy.deepcopy(cell).double(), c_TBS.double()
    s_BS = c_TBS.new_zeros(c_TBS.shape[1:])
    return BPTT().gradient(cell, x_TBI.double(), s_BS, lambda t, _: c_TBS[t])


def _assert_near(cell: Cell, g_P: Tensor, exact_P: Tensor) -> None:
    """Compare each tensor relative to its own largest entry; what is subnormal has fewer digits."""
    info, sizes = torch.finfo(g_P.dtype), [w.numel() for w in cell.parameters()]
    for g, exact in zip(g_P.split(sizes), exact_P.split(sizes), strict=True):
        largest = float(exact.abs().max())
        assert 0 < largest < math.inf
        off = float((g.double() / largest - exact.double() / largest).abs().max())
        digits = max(info.eps, info.smallest_normal * info.eps / largest)
        assert off <= 300 * digits, f"{off:.1e} off, {off / digits:.0f} roundings"


def _srn(hidden: int, dtype: torch.dtype) -> tuple[Cell, Tensor, Tensor]:
    """Return a network that remembers, inputs, and credits at most steps."""
    torch.manual_seed(0)
    cell = SRN(INPUTS, hidden)
    torch.nn.init.orthogonal_(cell.W).detach().mul_(0.97)
    x_TBI, c_TBS = torch.randn(LENGTH, 1, INPUTS), torch.randn(LENGTH, 1, hidden)
    c_TBS[torch.rand(LENGTH) < 0.2] = 0
    return cell.to(dtype), 0.1 * x_TBI.to(dtype), c_TBS.to(dtype)


@pytest.mark.parametrize("hidden", [SMALL, ASKED])
@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_the_gradient_is_exact_at_every_scale_of_credit(dtype: torch.dtype, hidden: int) -> None:
    cell, x_TBI, c_TBS = _srn(hidden, dtype)
    asked = hidden * sum(w.numel() for w in cell.parameters()) >= _reach.LARGE
    assert asked == (hidden == ASKED)
    for scale in SCALES[dtype]:
        g_P = _blocked(cell, x_TBI, c_TBS * scale, [1] * LENGTH)
        _assert_near(cell, g_P, _exact(cell, x_TBI, c_TBS * scale))


@pytest.mark.parametrize("gain", [0.97, 0.5])
@pytest.mark.parametrize(
    ("dtype", "exponents"), [(SINGLE, (-80, -41, 60)), (DOUBLE, (-900, -341, 900))]
)
def test_credits_times_a_power_of_two_give_the_gradient_times_it_bit_for_bit(
    dtype: torch.dtype, exponents: tuple[int, ...], gain: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_descent, "LARGE", 0)
    cell, x_TBI, c_TBS = _srn(24, dtype)
    with torch.no_grad():
        cell.get_parameter("W").mul_(gain / 0.97)
    g_P = _blocked(cell, x_TBI, c_TBS, [1] * LENGTH, 16)
    for exponent in exponents:
        of_scaled_P = _blocked(cell, x_TBI, c_TBS * 2.0**exponent, [1] * LENGTH, 16)
        assert torch.equal(of_scaled_P, g_P * 2.0**exponent)


def _forgetful(name: str) -> Cell:
    """Return a cell that keeps a hundredth or so each step; a stack where the name says so."""
    torch.manual_seed(0)
    if name == "stack":
        cell = Stack([CELLS["gru"](INPUTS, SMALL), CELLS["lstm"](SMALL, SMALL)]).double()
    else:
        cell = CELLS[name](INPUTS, SMALL).double()
    with torch.no_grad():
        for weights_name, weights in cell.named_parameters():
            if weights_name.endswith("W"):
                weights.mul_(0.1)
            elif weights_name.endswith("b"):
                weights.sub_(2)
    return cell


@pytest.mark.parametrize("lengths", [[1] * LENGTH, [20, 1, 1, 8, 40]])
@pytest.mark.parametrize("name", ["srn", "lstm", "gru", "peephole_lstm", "stack"])
def test_what_is_fed_from_far_back_alone_is_exact_by_each_tensor(
    name: str, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_descent, "LARGE", 0)
    cell = _forgetful(name)
    x_TBI = torch.randn(LENGTH, BATCH, INPUTS, dtype=DOUBLE)
    x_TBI[1:] = 0
    c_TBS = torch.zeros(LENGTH, BATCH, cell.state_size, dtype=DOUBLE)
    c_TBS[-1, :, : cell.hidden_size] = torch.randn(BATCH, cell.hidden_size, dtype=DOUBLE)
    _assert_near(cell, _blocked(cell, x_TBI, c_TBS, lengths, 100), _exact(cell, x_TBI, c_TBS))
    c_TBS *= torch.tensor([[1.0], [1e-150], [1e100]], dtype=DOUBLE)
    for sample in range(BATCH):  # U is fed by this sample alone
        x = torch.zeros_like(x_TBI)
        x[0, sample] = x_TBI[0, sample]
        _assert_near(cell, _blocked(cell, x, c_TBS, lengths, 16), _exact(cell, x, c_TBS))


@pytest.mark.parametrize(("dtype", "gain"), [(SINGLE, 0.33), (DOUBLE, 4e-5)])
def test_what_faded_to_the_end_of_the_type_is_still_there(
    dtype: torch.dtype, gain: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_descent, "LARGE", 0)
    cell, x_TBI, c_TBS = _srn(SMALL, dtype)
    with torch.no_grad():
        torch.nn.init.orthogonal_(cell.get_parameter("W")).mul_(gain)
    x_TBI[1:], c_TBS[:-1] = 0, 0
    for scale in (1, 2.0**30):
        exact_P = _exact(cell, x_TBI, c_TBS * scale)
        of_U = float(exact_P[: SMALL * INPUTS].abs().max()) / scale
        assert 1e2 < of_U / torch.finfo(dtype).tiny < 1e7
        for lengths, block in (([1] * LENGTH, 100), ([LENGTH], 10), ([1] * LENGTH, 16)):
            _assert_near(cell, _blocked(cell, x_TBI, c_TBS * scale, lengths, block), exact_P)


def _reach_of(cell: Cell, x_TBI: Tensor, m_BSP: Tensor) -> Reach:
    """Return bounds that start at an influence."""
    path = cell.follow(x_TBI, x_TBI.new_zeros(1, cell.state_size))
    reach = Descent().look(path, m_BSP[..., 0], m_BSP, [w.numel() for w in cell.parameters()])
    assert reach is not None
    return reach


def test_what_is_not_finite_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_descent, "LARGE", 0)
    cell, x_TBI, _ = _srn(SMALL, SINGLE)
    g_P = torch.ones(sum(w.numel() for w in cell.parameters()))
    reach = _reach_of(cell, x_TBI, torch.ones(1, SMALL, len(g_P)))
    assert reach.settled(-100.0, 0, g_P)
    assert reach.settled(-math.inf, 0, 0 * g_P)
    assert not reach.settled(0.0, 0, g_P)
    for bad in (math.inf, math.nan):
        assert not reach.settled(-100.0, 0, g_P * bad)
        assert not reach.settled(bad, 0, g_P)
        of_bad = _reach_of(cell, x_TBI, torch.full((1, SMALL, len(g_P)), bad))
        assert not of_bad.settled(-100.0, 0, g_P)
        assert not of_bad.settled(-math.inf, 0, g_P)
