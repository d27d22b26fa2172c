"""Checks of every cell, and further checks of unit-wise cells.

Unit-wise cells are an affine map followed by an update of each unit by itself. Cells are given in
float64, with at least two inputs and two units.
"""

import re
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells._unitwise import UnitwiseCell
from lightning_modules.contracts import _gradients as gradients
from lightning_modules.contracts._contract import Check, Contract, check
from lightning_modules.contracts._streams import rtrl_reference
from lightning_modules.interfaces import Algorithm, Cell, Claim

T, B = 6, 3


def point(cell: Cell, *leading: int) -> tuple[Tensor, Tensor]:
    """Return a random input and a random state, with these leading axes."""
    x = torch.randn(*leading, cell.input_size, dtype=torch.float64)
    return x, torch.randn(*leading, cell.state_size, dtype=torch.float64)


def shapes(cell: Cell) -> None:
    """The next state has the shape and type of the state."""
    x_BI, s_BS = point(cell, B)
    assert cell(x_BI, s_BS).shape == (B, cell.state_size)
    assert cell.state_size >= cell.hidden_size
    assert cell.float()(x_BI.float(), s_BS.float()).dtype == torch.float32


def samples_apart(cell: Cell) -> None:
    """Samples of a batch do not see each other."""
    x_BI, s_BS = point(cell, B)
    alone = torch.cat([cell(x_BI[b : b + 1], s_BS[b : b + 1]) for b in range(B)])
    torch.testing.assert_close(cell(x_BI, s_BS), alone)


def finite_differences(cell: Cell) -> None:
    """Autograd agrees with finite differences."""
    x_BI, s_BS = point(cell, B)
    weights = list(cell.parameters())

    def step(x: Tensor, s: Tensor, *w: Tensor) -> Tensor:
        names = [name for name, _ in cell.named_parameters()]
        return torch.func.functional_call(cell, dict(zip(names, w, strict=True)), (x, s))

    inputs = [x_BI.requires_grad_(), s_BS.requires_grad_(), *weights]
    assert torch.autograd.gradcheck(step, inputs, atol=1e-7)


def follows_steps(cell: Cell) -> None:
    """Following a sequence is to take its steps one by one, from zero after a reset."""
    (x_TBI, _), (_, s_BS) = point(cell, T, B), point(cell, B)
    resets_TB = torch.rand(T, B) < 0.3
    resets_TB[T // 2, 0] = True
    path = cell.follow(x_TBI, s_BS, resets_TB)
    assert not path.states_TBS.requires_grad
    for t in range(T):
        s_BS = cell(x_TBI[t], s_BS * ~resets_TB[t, :, None])
        torch.testing.assert_close(path.states_TBS[t], s_BS, rtol=1e-13, atol=1e-14)


def refuses(cell: Cell) -> None:
    """What does not fit is refused in one line."""
    (x_TBI, _), (_, s_BS) = point(cell, T, B), point(cell, B)
    none_TB = torch.zeros(T, B, dtype=torch.bool)
    I, S = cell.input_size, cell.state_size  # noqa: E741
    for given, says in (
        ((x_TBI[:0], s_BS), "there must be at least one step"),
        ((x_TBI[..., 1:], s_BS), rf"x is \(6, 3, {I - 1}\): \w+ takes \(T, B, {I}\)"),
        ((x_TBI[0], s_BS), rf"x is \(3, {I}\): \w+ takes \(T, B, {I}\)"),
        ((x_TBI, s_BS[:1]), rf"the state is \(1, {S}\): \w+ takes \(3, {S}\)"),
        ((x_TBI, s_BS[:, 1:]), rf"the state is \(3, {S - 1}\): \w+ takes \(3, {S}\)"),
        ((x_TBI, s_BS, none_TB[0]), r"resets are \(3,\): \(6, 3\) fits x"),
        ((x_TBI, s_BS, none_TB[:, :1]), r"resets are \(6, 1\): \(6, 3\) fits x"),
        ((x_TBI.float(), s_BS), "x is torch.float32, the state torch.float64, the weights"),
        ((x_TBI.float(), s_BS.float()), "the weights torch.float64: give all the same type"),
    ):
        said = _refusal(cell, *given)
        assert "\n" not in said
        assert re.search(says, said), said


def leaves_alone(cell: Cell) -> None:
    """Following leaves its arguments alone."""
    (x_TBI, _), (_, s_BS) = point(cell, T, B), point(cell, B)
    before = x_TBI.clone(), s_BS.clone(), [w.clone() for w in cell.parameters()]
    path = cell.follow(x_TBI, s_BS, torch.ones(T, B, dtype=torch.bool))
    path.gradient(path.sweep(torch.ones_like(path.states_TBS))[0])
    torch.testing.assert_close((x_TBI, s_BS, list(cell.parameters())), before, rtol=0, atol=0)


CHECKS: tuple[Callable[[Cell], None], ...] = (
    shapes,
    samples_apart,
    finite_differences,
    follows_steps,
    refuses,
    leaves_alone,
)


def named(cell: UnitwiseCell) -> None:
    """Parameters are named and ordered as in the textbook: U, W, b."""
    assert [name for name, _ in cell.named_parameters()] == ["U", "W", "b"]
    rows = range(len(cell.b))
    assert cell.U.shape == (len(rows[cell.input_rows]), cell.input_size)
    assert cell.W.shape == (len(rows[cell.recurrent_rows]), cell.hidden_size)


def start(cell: UnitwiseCell) -> None:
    """Weights start within one over the root of the units."""
    for weights in (w for w in (cell.U, cell.W) if w.numel() > 0):
        assert 0.2 * cell.hidden_size**-0.5 < weights.abs().max() <= cell.hidden_size**-0.5


def unit_by_unit(cell: UnitwiseCell) -> None:
    """A unit of the update depends on its own z and s alone."""
    z_Z, (_, s_S) = torch.randn_like(cell.b), point(cell)
    H = cell.hidden_size
    for of in (0, 1):
        jacobian = torch.func.jacrev(cell.update, argnums=of)(z_Z, s_S)
        blocks = jacobian.unflatten(1, (-1, H)).unflatten(0, (-1, H))
        off_diagonal = blocks * (1 - torch.eye(H, dtype=torch.float64))[None, :, None, :]
        assert jacobian.abs().max() > 0.01 or cell.held == slice(0, 0)
        assert off_diagonal.abs().max() == 0


def in_place(cell: UnitwiseCell) -> None:
    """The update in place equals the pure one."""
    z_BZ, (_, s_BS) = torch.randn(B, len(cell.b), dtype=torch.float64), point(cell, B)
    expected, next_BS = cell.update(z_BZ, s_BS), torch.empty_like(s_BS)
    cell.advance(z_BZ.clone(), s_BS, next_BS)
    torch.testing.assert_close(next_BS, expected, rtol=1e-14, atol=1e-14)


def closed_derivatives(cell: UnitwiseCell) -> None:
    """Closed derivatives equal automatic ones, of a step and of several at once."""
    for leading in ((B,), (T, B)):
        z = torch.randn(*leading, len(cell.b), dtype=torch.float64)
        _, s = point(cell, *leading)
        C_by_autograd, E_by_autograd = UnitwiseCell.derivatives(cell, z, s, s)
        next_s = torch.empty_like(s)
        with torch.no_grad():
            cell.advance(z, s, next_s)
            C, E = cell.derivatives(z, s, next_s)
        torch.testing.assert_close(C, C_by_autograd, rtol=1e-13, atol=1e-14)
        torch.testing.assert_close(E.broadcast_to(E_by_autograd.shape), E_by_autograd)


UNITWISE: tuple[Callable[[UnitwiseCell], None], ...] = (
    named,
    start,
    unit_by_unit,
    in_place,
    closed_derivatives,
)


def kept_claim(algorithm: Algorithm, cell: Cell) -> None:
    """The gradient is what the algorithm claims, or it says in one line why it has none."""
    held = {Claim.EXACT: _exact, Claim.ALIGNED: gradients.aligned, Claim.ZERO: _zero}
    try:
        held[algorithm.claim](algorithm, cell)
    except ValueError as error:
        if "\n" in str(error):
            raise


def _checks(build: Callable[[], Cell]) -> Iterator[Check]:
    """Iterate over the checks of a cell, then of its gradient by every algorithm.

    Unbiased algorithms are left out: whether they are unbiased does not depend on the cell, and
    their own contract checks it.
    """

    def made() -> Cell:
        return build().double()

    yield from (check(each, made) for each in CHECKS)
    if isinstance(build(), UnitwiseCell):
        yield from (check(each, made) for each in UNITWISE)
    for name, kind in ALGORITHMS.items():
        if kind.claim is not Claim.UNBIASED:
            yield check(kept_claim, kind, made, on=f"by {name}")


def _exact(algorithm: Algorithm, cell: Cell) -> None:
    gradients.whole_sequence(algorithm, cell, rtrl_reference)


def _zero(algorithm: Algorithm, cell: Cell) -> None:
    gradients.zero(algorithm, cell, rtrl_reference)


def _refusal(cell: Cell, *given: Tensor) -> str:
    """Return the message of the ValueError for these arguments; AssertionError without one."""
    try:
        cell.follow(*given)
    except ValueError as error:
        return str(error)
    raise AssertionError("it is not refused")


CONTRACT = Contract(Cell, {"input_size": 3, "hidden_size": 4}, _checks)
