"""A cell's trajectory: its several views of the same first-order behaviour agree."""

import pytest
import torch
from torch import Tensor

from lightning_modules.cells._stacked import StackedTrajectory
from lightning_modules.cells._trajectory import UnitwiseTrajectory
from lightning_modules.contracts._streams import Problem, problem
from lightning_modules.interfaces import Cell, Trajectory
from tests.cases import CELL_BUILDS

T, B = 7, 3


@pytest.fixture(params=CELL_BUILDS)
def p(request: pytest.FixtureRequest) -> Problem:
    torch.manual_seed(0)
    return problem(CELL_BUILDS[request.param](), 2 * T, B)


def _follow(p: Problem, first: int = 0, last: int = 2 * T) -> Trajectory:
    part = p.chunk(first, last)
    return p.cell.follow(part.x_TBI, p.s_BS, part.resets_TB)


def _random(path: Trajectory, *shape: int) -> Tensor:
    return torch.randn(len(path), B, *shape, dtype=torch.float64)


def _jacobians(path: Trajectory, S: int) -> Tensor:
    j_TBSS = torch.empty(len(path), B, S, S, dtype=torch.float64)
    path.jacobians(0, j_TBSS)
    return j_TBSS


def test_jacobians_are_those_of_automatic_differentiation(p: Problem) -> None:
    def step(x_I: Tensor, s_S: Tensor) -> Tensor:
        return p.cell(x_I[None], s_S[None])[0]

    path, s_BS = _follow(p), p.s_BS
    for t, j_BSS in enumerate(_jacobians(path, p.cell.state_size)):
        kept_B1 = ~p.resets_TB[t, :, None]
        expected = torch.vmap(torch.func.jacrev(step, 1))(p.x_TBI[t], s_BS * kept_B1)
        torch.testing.assert_close(j_BSS, expected.detach() * kept_B1[..., None])
        s_BS = path.states_TBS[t]


def test_pulling_back_is_multiplying_by_the_jacobian(p: Problem) -> None:
    path = _follow(p)
    v_TBS = _random(path, p.cell.state_size)
    u_TBZ, before_TBS = path.pull(v_TBS)
    j_TBSS = _jacobians(path, p.cell.state_size)
    torch.testing.assert_close(before_TBS, (v_TBS.unsqueeze(2) @ j_TBSS).squeeze(2))
    torch.testing.assert_close(u_TBZ, path.immediate(v_TBS.unsqueeze(2)).squeeze(2))


def test_what_passes_within_units_is_the_diagonal_of_each_block_of_the_jacobian(p: Problem) -> None:
    path, H = _follow(p), p.cell.hidden_size
    if not isinstance(path, UnitwiseTrajectory):
        with pytest.raises(
            ValueError, match=r"^\w+ (\w+ )?has no units [^\n]+ algorithm that needs"
        ):
            path.within()
        return
    held_TBKKH, through_TBKH = path.within()
    held_TBKKH[:, :, :, 0] += through_TBKH
    j_TBKHKH = _jacobians(path, p.cell.state_size).unflatten(-1, (-1, H)).unflatten(2, (-1, H))
    expected = j_TBKHKH.diagonal(dim1=3, dim2=5)
    torch.testing.assert_close(held_TBKKH, expected)


def test_a_sweep_is_pulling_back_step_by_step(p: Problem) -> None:
    path = _follow(p)
    c_TBS, given = _random(path, p.cell.state_size), 5
    u_TBZ, v_TBS = path.sweep(c_TBS[-given:])
    expected_BS, seen = torch.zeros_like(v_TBS[0]), p.cell.state_size
    if isinstance(path, StackedTrajectory):  # what lower layers give the top is theirs besides
        seen = p.cell.hidden_size
    for t in range(len(path) - 1, -1, -1):
        if t >= len(path) - given:
            expected_BS = expected_BS + c_TBS[t]
        torch.testing.assert_close(v_TBS[t + 1, :, :seen], expected_BS[:, :seen])
        u, before = path.part(t, t + 1).pull(expected_BS.unsqueeze(0))
        torch.testing.assert_close(u_TBZ[t], u[0])
        expected_BS = before[0]
    torch.testing.assert_close(v_TBS[0], expected_BS)


def test_what_is_injected_is_what_is_read(p: Problem) -> None:
    """Rows of ds'/dw at fixed s: injected, accumulated row by row, or read as a gradient."""
    path, S = _follow(p), p.cell.state_size
    eye_BSS = torch.eye(S, dtype=torch.float64).expand(B, S, S)
    for t in (0, T):
        injected, accumulated = torch.zeros(2, B, S, path.parameters, dtype=torch.float64)
        path.inject(t, injected)
        path.accumulate(path.immediate(eye_BSS[None], t), t, accumulated)
        torch.testing.assert_close(injected, accumulated)
        v_BS = torch.randn(B, S, dtype=torch.float64)
        u_TBRZ = path.immediate(v_BS[None, :, None], t)
        read_P = path.part(t, t + 1).gradient(u_TBRZ.squeeze(2))
        torch.testing.assert_close(read_P, torch.einsum("bs,bsp->p", v_BS, injected))


def test_joined_steps_are_the_steps_of_both(p: Problem) -> None:
    whole, first = _follow(p), _follow(p, 0, T)
    rest = whole.part(T, 2 * T)
    joined = first.followed_by(rest.part(0, 3)).followed_by(rest.part(3, T))
    assert len(joined) == 2 * T
    _assert_same(joined, whole, p.cell)


def test_joining_onto_a_part_leaves_what_it_was_part_of_alone(p: Problem) -> None:
    whole = _follow(p)
    record = whole.part(0, 0).followed_by(whole.part(0, T)).followed_by(whole.part(T, T + 4))
    branch = record.part(0, T).followed_by(_follow(p, T + 4, 2 * T))
    _assert_same(record, whole.part(0, T + 4), p.cell)
    _assert_same(branch.part(0, T), whole.part(0, T), p.cell)


def test_steps_that_are_gone_hold_nothing_and_the_others_all(p: Problem) -> None:
    path, gone_TB = _follow(p), torch.rand(2 * T, B) < 0.4
    for of in (path, path.part(0, 0).followed_by(path)):
        rest, c_TBS = of.without(gone_TB), _random(path, p.cell.state_size)
        c_TBS[gone_TB] = 0
        assert len(rest) == len(path)
        for t in range(2 * T):
            found, expected = torch.zeros(2, B, p.cell.state_size, path.parameters).double()
            rest.inject(t, found)
            path.inject(t, expected)
            expected[gone_TB[t]] = 0
            torch.testing.assert_close(found, expected)
        (u_TBZ, before), (of_u_TBZ, of_before) = rest.pull(c_TBS), path.pull(c_TBS)
        torch.testing.assert_close(before[~gone_TB], of_before[~gone_TB])
        torch.testing.assert_close(rest.gradient(u_TBZ), path.gradient(of_u_TBZ))
        assert not rest.pull(torch.ones_like(c_TBS))[1][gone_TB].any()


def _assert_same(one: Trajectory, other: Trajectory, cell: Cell) -> None:
    """Compare what goes back through two trajectories of the same steps."""
    c_TBS = _random(one, cell.state_size)
    for by in (lambda path: path.sweep(c_TBS), lambda path: path.pull(c_TBS)):
        (u_TBZ, v), (u_of_other, v_of_other) = by(one), by(other)
        torch.testing.assert_close(u_TBZ, u_of_other, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(v, v_of_other, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(one.gradient(u_TBZ), other.gradient(u_of_other))


def test_weights_may_move_after_the_steps_were_made(p: Problem) -> None:
    path = _follow(p)
    c_TBS = _random(path, p.cell.state_size)
    before = path.sweep(c_TBS)
    with torch.no_grad():
        for weights in p.cell.parameters():
            weights += 1
    torch.testing.assert_close(path.sweep(c_TBS), before, rtol=0, atol=0)
