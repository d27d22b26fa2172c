"""Blocked RTRL leaves out what cannot be seen, and nothing that can."""

from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms import _block, _descent, _reach
from lightning_modules.algorithms._block import STRETCH, Block
from lightning_modules.algorithms._descent import Descent
from lightning_modules.algorithms._reach import Reach
from lightning_modules.algorithms._room import SPAN
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.cells.srn import SRN
from lightning_modules.contracts._gradients import assert_near, run_in_chunks
from lightning_modules.contracts._streams import Problem, flat_weights, problem
from lightning_modules.interfaces import Trajectory
from tests.cases import CELL_BUILDS, case_of

SPANS, BATCH, LONG, BLOCK = 4, 3, 150, 24


def _influences(path: Trajectory, m_BSP: Tensor) -> list[Tensor]:
    """Return the influence after 0, 8, 16, … steps, by dense products."""
    each, (B, S, _) = [m_BSP], m_BSP.shape
    j_1BSS = m_BSP.new_empty(1, B, S, S)
    for t in range(len(path)):
        path.jacobians(t, j_1BSS)
        m_BSP = j_1BSS[0] @ m_BSP
        path.inject(t, m_BSP)
        each.append(m_BSP.clone())
    return each[::SPAN]


@pytest.mark.parametrize("name", CELL_BUILDS)
def test_the_influence_of_every_cell_is_by_each_tensor_at_most_its_bound(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_descent, "LARGE", 0)
    p = problem(CELL_BUILDS[name](), SPANS * SPAN, BATCH)
    path = p.cell.follow(p.x_TBI, p.s_BS, p.resets_TB)
    m_BSP = torch.randn(BATCH, p.cell.state_size, path.parameters, dtype=torch.float64)
    descent, sizes = Descent(), [w.numel() for w in p.cell.parameters()]
    reach = descent.look(path, p.s_BS, m_BSP, sizes)
    assert reach is not None
    descent.close_spans(path, SPAN * SPANS, p.s_BS)
    assert len(reach.bounds) == (SPANS + 1 if case_of(name).by_unit else 1)
    for bound_NB, true_BSP in zip(reach.bounds, _influences(path, m_BSP), strict=False):
        tensors = true_BSP, *true_BSP.split(sizes, dim=-1)
        true_NB = torch.stack([tensor.flatten(1).norm(dim=1) for tensor in tensors])
        assert torch.all(true_NB <= bound_NB.exp() * (1 + 1e-12))


def _forgetful(scale: float) -> Problem:
    """Return a stream of a network whose weights from h to h are scaled."""
    torch.manual_seed(0)
    cell = SRN(3, 8, activation="linear" if scale == 1 else "tanh")
    with torch.no_grad():
        torch.nn.init.orthogonal_(cell.W).mul_(scale)
    return problem(cell, LONG, BATCH)


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ask however small the network is, and note how many steps each credit or influence meets."""
    found, go = [], Descent.go
    monkeypatch.setattr(_descent, "LARGE", 0)

    def noted(*args: Any, **named: Any) -> tuple[int, bool]:
        start, ended = go(*args, **named)
        found.append(args[4] - start)
        return start, ended

    monkeypatch.setattr(Descent, "go", noted)
    return found


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how long the blocks become."""
    found, move_on = [], Block.move_on

    def noted(self: Block, *args: Any) -> None:
        found.append(len(self))
        move_on(self, *args)

    monkeypatch.setattr(Block, "move_on", noted)
    return found


EACH, MIXED = [1] * LONG, [1] * 40 + [7] * 10 + [40]
"""Lengths of runs."""


def _compare(p: Problem, lengths: list[int] = EACH) -> None:
    """Hold an update after every run by blocks to the same by dense products."""
    torch.manual_seed(1)
    w_P = flat_weights(p.cell)
    _hold(p, w_P + 0.01 * torch.randn(len(lengths), len(w_P), dtype=torch.float64), lengths)


def _hold(p: Problem, weights_RP: Tensor, lengths: list[int] = EACH) -> None:
    blocked, dense = (
        run_in_chunks(rule, p, lengths, weights_RP) for rule in (BlockedRTRL(BLOCK), RTRL())
    )
    for g_P, exact_P in zip(blocked, dense, strict=True):
        assert_near(p.cell, g_P, exact_P)


@pytest.mark.parametrize(("lengths", "blocks"), [(EACH, [96]), (MIXED, [96])])
def test_a_network_that_forgets_is_exact_though_it_looks_back_few_steps(
    lengths: list[int], blocks: list[int], met: list[int], closed: list[int]
) -> None:
    _compare(_forgetful(0.05), lengths)
    assert max(met) < 2 * BLOCK
    assert closed == blocks


def test_a_network_that_remembers_looks_back_to_the_start_of_the_block(
    met: list[int], closed: list[int]
) -> None:
    p = _forgetful(1)
    p.mask_TB[:], p.resets_TB[:] = True, False
    _compare(p)
    assert closed == [BLOCK] * (LONG // BLOCK)
    assert met[:BLOCK] == [*range(2, BLOCK + 1), BLOCK]


def test_a_network_that_remembers_is_asked_in_some_blocks_alone(
    met: list[int], closed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_block, "UNASKED", 1)
    p = _forgetful(1)
    p.mask_TB[:], p.resets_TB[:] = True, False
    scale_T = torch.ones(LONG, dtype=torch.float64)
    scale_T[BLOCK:] = 0.05
    _hold(p, _scaled(p, scale_T))
    assert closed == [BLOCK, BLOCK, STRETCH * BLOCK]
    assert met[BLOCK : 2 * BLOCK] == [*range(2, BLOCK + 1), BLOCK]
    assert max(met[2 * BLOCK :]) < BLOCK


def _scaled(p: Problem, scale_T: Tensor) -> Tensor:
    """Return weights for every step, those from h to h scaled."""
    w_TP, of_W = flat_weights(p.cell).repeat(LONG, 1), slice(8 * 3, 8 * 3 + 8 * 8)
    w_TP[:, of_W] *= scale_T.unsqueeze(1)
    return w_TP


@pytest.mark.usefixtures("met")
def test_a_block_that_was_stretched_ends_when_its_start_comes_into_sight(closed: list[int]) -> None:
    p = _forgetful(1)  # it is linear, so that credit can grow
    scale_T = torch.full((LONG,), 0.05, dtype=torch.float64)
    scale_T[30:80] = 8
    _hold(p, _scaled(p, scale_T))
    assert BLOCK < closed[0] < STRETCH * BLOCK


def _nothing(reach: Reach, record: Trajectory, first: int, steps: int) -> Tensor:
    """Return the log of zero for the influence of some steps, by tensor and sample."""
    return torch.full((3, steps, BATCH), -torch.inf, dtype=torch.float64)


@pytest.mark.usefixtures("met")
def test_a_bound_that_is_too_small_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reach, "_own", _nothing)
    with pytest.raises(AssertionError, match="off"):
        _compare(_forgetful(0.05))


@pytest.mark.usefixtures("met")
@pytest.mark.parametrize("lengths", [EACH, MIXED])
@pytest.mark.parametrize("remembers", [0, 30])
def test_a_restored_block_looks_back_as_far_bit_for_bit(remembers: int, lengths: list[int]) -> None:
    p, rule = _forgetful(1), BlockedRTRL(BLOCK)
    p.mask_TB[:], p.resets_TB[:] = True, False
    scale_T = torch.full((LONG,), 0.05, dtype=torch.float64)
    scale_T[:remembers] = 1
    weights_RP = _scaled(p, scale_T)[: len(lengths)]
    plain = run_in_chunks(rule, p, lengths, weights_RP)
    restored = run_in_chunks(rule, p, lengths, weights_RP, pickled=True)
    for g_P, again_P in zip(plain, restored, strict=True):
        assert torch.equal(g_P, again_P)


def test_small_networks_are_not_asked() -> None:
    p = _forgetful(0.05)
    path = p.cell.follow(p.x_TBI, p.s_BS)
    assert p.s_BS.numel() * path.parameters < _reach.LARGE
    assert Descent().look(path, p.s_BS, None, [path.parameters]) is None
