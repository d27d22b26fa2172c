"""Stacks: the same as torch's own layers and as their only cell, and caught when they break."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.cells._forward import ForwardTrajectory
from lightning_modules.cells._stacked import StackedTrajectory
from lightning_modules.cells.elstm import ELSTM
from lightning_modules.cells.gru import GRU
from lightning_modules.cells.layer_norm_lstm import LayerNormLSTM
from lightning_modules.cells.residual import Residual
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import rtrl_reference
from lightning_modules.interfaces import Algorithm, Cell
from tests.cases import CELL_BUILDS, INPUTS, UNITS

Patch = pytest.MonkeyPatch
T, B = 9, 3


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def _inputs() -> Tensor:
    return torch.randn(T, B, INPUTS, dtype=torch.float64)


def _states(cell: Cell, x_TBI: Tensor) -> Tensor:
    return cell.follow(x_TBI, x_TBI.new_zeros(B, cell.state_size)).states_TBS


def _gradient(cell: Cell, x_TBI: Tensor, rule: Callable[[], Algorithm] = BPTT) -> Tensor:
    """Return the gradient of the sum of squares of h, (P,)."""
    H = cell.hidden_size

    def credit(t: int, s_BS: Tensor) -> Tensor:
        return torch.cat([2 * s_BS[:, :H], torch.zeros_like(s_BS[:, H:])], dim=-1)

    return rule().gradient(cell, x_TBI, x_TBI.new_zeros(B, cell.state_size), credit)


@pytest.mark.parametrize("rule", [BPTT, RTRL, BlockedRTRL])
def test_a_stack_of_two_is_torch_s_layer_of_two(rule: Callable[[], Algorithm]) -> None:
    cell = Stack([SRN(INPUTS, UNITS), SRN(UNITS, UNITS)]).double()
    twin, x_TBI = nn.RNN(INPUTS, UNITS, num_layers=2).double(), _inputs()
    ours, theirs = list(cell.parameters()), list(twin.parameters())
    theirs = [w for k, w in enumerate(theirs) if k % 4 < 3]
    with torch.no_grad():
        for into in twin.parameters():
            into.zero_()
        for into, w in zip(theirs, ours, strict=True):
            into.copy_(w)
    h_TBH = twin(x_TBI)[0]
    torch.testing.assert_close(_states(cell, x_TBI)[..., :UNITS], h_TBH.detach())
    expected = torch.autograd.grad(h_TBH.square().sum(), theirs)
    expected_P = torch.cat([g.flatten() for g in expected])
    checks.assert_near(cell, _gradient(cell, x_TBI, rule), expected_P)


@pytest.mark.parametrize("build", [GRU, ELSTM, Residual])
def test_a_stack_of_one_cell_is_that_cell(build: type[GRU | ELSTM | Residual]) -> None:
    cell, x_TBI = build(INPUTS, UNITS).double(), _inputs()
    stack = Stack([cell])
    assert torch.equal(_states(stack, x_TBI), _states(cell, x_TBI))
    assert torch.equal(_gradient(stack, x_TBI), _gradient(cell, x_TBI))


def test_the_credit_of_every_layer_s_state_is_what_automatic_differentiation_finds() -> None:
    cell, x_TBI = Stack([GRU(INPUTS, UNITS), SRN(UNITS, UNITS)]).double(), _inputs()
    low, top = (layer.requires_grad_() for layer in cell.cells)
    h, below, above = [x_TBI.new_zeros(B, UNITS) for _ in range(2)], [], []
    for x_BI in x_TBI:
        h[0] = low(x_BI, h[0])
        h[1] = top(h[0], h[1])
        below.append(h[0])
        above.append(h[1])
    of_TBH = torch.autograd.grad(torch.stack(above).square().sum(), [*above, *below])
    expected_TBS = torch.cat([torch.stack(of_TBH[:T]), torch.stack(of_TBH[T:])], dim=-1)
    path = cell.follow(x_TBI, x_TBI.new_zeros(B, cell.state_size))
    c_TBS = 2 * path.states_TBS
    c_TBS[..., UNITS:] = 0
    _, v_TBS = path.sweep(c_TBS)
    torch.testing.assert_close(v_TBS[1:], expected_TBS, rtol=1e-12, atol=1e-12)


def test_a_cell_without_a_map_of_its_input_cannot_be_stacked() -> None:
    cell = SRN(INPUTS, UNITS)
    del cell.U
    with pytest.raises(ValueError, match=r"^SRN cannot be stacked: it has no map U"):
        Stack([cell])


def test_weights_of_two_names_are_refused() -> None:
    low, top, last = SRN(INPUTS, UNITS), SRN(UNITS, UNITS), SRN(UNITS, UNITS)
    says = r"^cells\.\S+ is cells\.\S+: each cell of a stack needs weights of its own[^\n]+$"
    with pytest.raises(ValueError, match=says):
        Stack([low, top, top])
    with pytest.raises(ValueError, match=says):
        Stack([low, Stack([top, Stack([top])])])
    stack = Stack([low, top, last])
    last.W = top.W
    with pytest.raises(ValueError, match=says):
        _states(stack.double(), _inputs())
    top.W = top.U
    with pytest.raises(ValueError, match=r"^U is W: a cell needs weights of its own[^\n]+$"):
        top.double().follow(torch.zeros(1, B, UNITS).double(), torch.zeros(B, UNITS).double())


def test_weights_that_cells_of_forward_alone_come_to_share_are_refused() -> None:
    low, top = LayerNormLSTM(INPUTS, UNITS), LayerNormLSTM(UNITS, UNITS)
    stack = Stack([low, top]).double()
    top.of_c.weight = low.of_c.weight
    says = r"^cells\.1\.of_c\.weight is cells\.0\.of_c\.weight: each cell of a stack needs[^\n]+$"
    with pytest.raises(ValueError, match=says):
        _states(stack, _inputs())


def test_gates_are_told_of_the_layers_that_tell_them() -> None:
    cell, x_TBI = CELL_BUILDS["stack-forward_above"]().double(), _inputs()
    gates = cell.follow(x_TBI, x_TBI.new_zeros(B, cell.state_size)).gates()
    assert set(gates) == {"0.reset", "0.update"}


def test_each_step_of_a_record_keeps_its_own_maps() -> None:
    cell, x_TBI = CELL_BUILDS["stack-three"]().double(), _inputs()
    S = cell.state_size
    s_BS = torch.randn(B, S, dtype=torch.float64)
    first = cell.follow(x_TBI, s_BS)
    with torch.no_grad():
        for weights in cell.parameters():
            weights += 0.3
    then = cell.follow(x_TBI, s_BS)
    joined, v_TBRS = first.followed_by(then), torch.randn(T, B, 2, S, dtype=torch.float64)
    torch.testing.assert_close(joined.immediate(v_TBRS, T), then.immediate(v_TBRS))
    of_joined, of_then = torch.empty(2, T, B, S, S, dtype=torch.float64)
    joined.jacobians(T, of_joined)
    then.jacobians(0, of_then)
    torch.testing.assert_close(of_joined, of_then)
    of_joined, of_then = torch.zeros(2, B, S, then.parameters, dtype=torch.float64)
    joined.inject(T + 2, of_joined)
    then.inject(2, of_then)
    torch.testing.assert_close(of_joined, of_then)


def _sends_nothing_down(rule: type[Algorithm]) -> Callable[[Patch], tuple[Algorithm, Cell]]:
    """Each layer of a stack learns as if there were none above it."""

    def build(patch: Patch) -> tuple[Algorithm, Cell]:
        whole = StackedTrajectory._to_input
        patch.setattr(StackedTrajectory, "_to_input", lambda *a: torch.zeros_like(whole(*a)))
        return rule(), CELL_BUILDS["stack"]()

    return build


def _stacks_stale_maps(patch: Patch) -> tuple[Algorithm, Cell]:
    whole = StackedTrajectory.followed_by

    def followed_by(self: Any, then: Any) -> Any:
        joined = whole(self, then)
        joined._U_LT = [[U_T[-1]] * len(U_T) for U_T in joined._U_LT]
        return joined

    patch.setattr(StackedTrajectory, "followed_by", followed_by)
    return BlockedRTRL(5), CELL_BUILDS["stack"]()


def _forgets_what_passes_up(patch: Patch) -> tuple[Algorithm, Cell]:
    whole = StackedTrajectory.jacobians

    def jacobians(self: Any, first: int, into_TBSS: Tensor) -> None:
        whole(self, first, into_TBSS)
        for place in self._places:
            into_TBSS[..., place.states, place.states.stop :] = 0

    patch.setattr(StackedTrajectory, "jacobians", jacobians)
    return RTRL(), CELL_BUILDS["stack"]()


def _forgets_what_enters_cells_of_forward_alone(patch: Patch) -> tuple[Algorithm, Cell]:
    whole = ForwardTrajectory.of_inputs
    patch.setattr(ForwardTrajectory, "of_inputs", lambda *a: torch.zeros_like(whole(*a)))
    return BPTT(), CELL_BUILDS["stack-forward_above"]()


@pytest.mark.parametrize(
    ("breaks", "check"),
    [
        (_sends_nothing_down(BPTT), checks.whole_sequence),
        (_sends_nothing_down(RTRL), checks.every_step),
        (_stacks_stale_maps, checks.moving_weights),
        (_forgets_what_passes_up, checks.every_step),
        (_forgets_what_enters_cells_of_forward_alone, checks.whole_sequence),
    ],
)
def test_what_is_broken_on_purpose_is_caught(
    breaks: Callable[[Patch], tuple[Algorithm, Cell]], check: checks.Check, monkeypatch: Patch
) -> None:
    algorithm, cell = breaks(monkeypatch)
    with pytest.raises(AssertionError, match="off"):
        check(algorithm, cell, rtrl_reference)
