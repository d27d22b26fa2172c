"""Learning while the stream goes on: long, with resets and masks of each sample, broken off."""

import io
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.diagonal_rtrl import DiagonalRTRL
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.contracts import _gradients as checks
from lightning_modules.contracts._streams import Problem, flat_weights, problem, rtrl_reference
from lightning_modules.interfaces import Algorithm, Cell, Claim
from tests import online_checks
from tests.cases import CELL_BUILDS, CellCase, case_of
from tests.rules import RANDOM, applies

STREAMED = ("srn", "lstm", "gru", "stack", "elstm")
LENGTHS, RESUMED = (1, 1, 6, 1, 9, 2, 1, 1, 7), 5
"""Of runs, and how many of them were taken before the break."""


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_exact_algorithms_agree_while_an_update_follows_every_one_of_300_steps(
    cell: Cell, case: CellCase
) -> None:
    rules: list[Algorithm] = [RTRL(), BlockedRTRL(), BlockedRTRL(7), BlockedRTRL(64)]
    rules += [DiagonalRTRL()] * case.diagonal
    p = problem(cell, 300, 2)
    first_P = weights_P = flat_weights(cell)
    states: list[Tensor] = [p.s_BS] * len(rules)
    memories: list[Any] = [None] * len(rules)
    for t in range(300):
        part = p.chunk(t, t + 1)
        torch.nn.utils.vector_to_parameters(weights_P, cell.parameters())
        runs = [
            rule.run(cell, part.x_TBI, s_BS, part.credit, memory, part.resets_TB)
            for rule, s_BS, memory in zip(rules, states, memories, strict=True)
        ]
        states, memories = [run.state_BS for run in runs], [run.memory for run in runs]
        for run in runs[1:]:
            checks.assert_near(cell, run.gradient_P, runs[0].gradient_P, 1e-11)
        weights_P = weights_P - 0.03 * runs[0].gradient_P
    assert (weights_P - first_P).norm() > 0.5


class Learning:
    """A cell that learns online, which can be saved, and restored where nothing is left of it."""

    def __init__(self, algorithm: str, cell_name: str):
        self.rule, self.cell = ALGORITHMS[algorithm](), CELL_BUILDS[cell_name]()
        self.optimizer = torch.optim.Adam(self.cell.double().parameters(), lr=0.02)
        self.s_BS, self.memory = torch.empty(0), None

    def go(self, p: Problem, lengths: tuple[int, ...]) -> list[Tensor]:
        """Update after every run; return the gradients, and at last the state and the weights."""
        seen, first = [], 0
        for length in lengths:
            part = p.chunk(first, first + length)
            run = self.rule.run(
                self.cell, part.x_TBI, self.s_BS, part.credit, self.memory, part.resets_TB
            )
            self.s_BS, self.memory, first = run.state_BS, run.memory, first + length
            seen.append(run.gradient_P.clone())
            weights = list(self.cell.parameters())
            of_each = run.gradient_P.split([w.numel() for w in weights])
            for w, gradient in zip(weights, of_each, strict=True):
                w.grad = gradient.view_as(w)
            self.optimizer.step()
        return [*seen, self.s_BS, flat_weights(self.cell)]

    def save(self) -> dict[str, Any]:
        """Return what a checkpoint must hold."""
        weights, moments = self.cell.state_dict(), self.optimizer.state_dict()
        return {"weights": weights, "moments": moments, "state": self.s_BS, "memory": self.memory}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from there; what is left out stays as it was at the start."""
        self.s_BS, self.memory = saved["state"], saved.get("memory")
        self.cell.load_state_dict(saved["weights"])
        if "moments" in saved:
            self.optimizer.load_state_dict(saved["moments"])


def whole_and_resumed(
    algorithm: str, cell_name: str, left_out: str = "nothing"
) -> tuple[list[Tensor], list[Tensor]]:
    """Return what came after the break, of a stream that knew none and of one that went on."""
    found, length = [], sum(LENGTHS[:RESUMED])
    for broken_off in (False, True):
        torch.manual_seed(0)
        learning = Learning(algorithm, cell_name)
        p = problem(learning.cell, sum(LENGTHS), 3)
        learning.s_BS = p.s_BS
        learning.go(p, LENGTHS[:RESUMED])
        if broken_off:
            file = io.BytesIO()
            torch.save({k: v for k, v in learning.save().items() if k != left_out}, file)
            learning.go(p, LENGTHS)  # what was saved is a copy: this must not reach it
            torch.manual_seed(1)
            learning = Learning(algorithm, cell_name)
            learning.load(torch.load(io.BytesIO(file.getvalue()), weights_only=False))
        found.append(learning.go(p.chunk(length, sum(LENGTHS)), LENGTHS[RESUMED:]))
    return found[0], found[1]


@pytest.mark.parametrize("cell_name", STREAMED)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_learning_that_was_broken_off_goes_on_bit_for_bit(name: str, cell_name: str) -> None:
    with applies(name, case_of(cell_name)):
        whole, resumed = whole_and_resumed(name, cell_name)
        assert all(map(torch.equal, whole, resumed))
        assert any(g.any() for g in whole[:-2]) != (ALGORITHMS[name].claim is Claim.ZERO)


@pytest.mark.parametrize("name", ["blocked_rtrl", "tbptt", "snap1", *RANDOM])
@pytest.mark.parametrize("left_out", ["memory", "moments"])
def test_a_checkpoint_without_one_of_its_parts_goes_on_otherwise(left_out: str, name: str) -> None:
    whole, resumed = whole_and_resumed(name, "lstm", left_out)
    assert not torch.allclose(whole[-1], resumed[-1], rtol=1e-6)


@pytest.mark.parametrize("cell_name", STREAMED)
@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name not in RANDOM])
def test_each_sample_learns_by_its_own_mask_and_resets_while_weights_move(
    name: str, cell_name: str
) -> None:
    with applies(name, case_of(cell_name)):
        online_checks.samples_apart(ALGORITHMS[name](), CELL_BUILDS[cell_name](), rtrl_reference)


@pytest.mark.parametrize("cell_name", STREAMED)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_a_sample_saw_before_its_reset_leaves_no_trace_while_weights_move(
    name: str, cell_name: str
) -> None:
    with applies(name, case_of(cell_name)):
        online_checks.no_trace(ALGORITHMS[name](), CELL_BUILDS[cell_name](), rtrl_reference)
