"""Every learner against a bare loop of automatic differentiation."""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.algorithms.blocked_rtrl import BlockedRTRL
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.cells.srn import SRN
from lightning_modules.contracts._recall import Recall
from lightning_modules.interfaces import Algorithm, Cell, Run, Task
from lightning_modules.networks.unrolled import Unrolled
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.decay import Decay
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import OPTIMIZERS
from lightning_modules.training.losses import counted_only
from lightning_modules.training.recorder import Row
from lightning_modules.training.sequence import SequenceLearner


def sequence_learner(
    task: Task, algorithm: Callable[[], Algorithm] = BPTT, **changes: Any
) -> SequenceLearner:
    """Return a float64 learner whose weights are the same at every call."""
    torch.manual_seed(0)
    settings = {"update_every": None, "optimizer": "sgd", "learning_rate": 0.1} | changes
    cell = SRN(task.input_size, 8).double()
    return SequenceLearner(cell, task.output_size, task.loss, algorithm(), **settings).double()


def bare_loop(
    learner: SequenceLearner, task: Task, steps: int
) -> tuple[list[float], Sequence[Tensor]]:
    """Train copies of the learner's weights by autograd alone; losses by batch, and weights."""
    cell, readout = copy.deepcopy(learner.cell), copy.deepcopy(learner.readout)
    weights = [*cell.parameters(), *readout.parameters()]
    optimizer = OPTIMIZERS[learner.optimizer](weights, lr=learner.learning_rate)  # pyright: ignore[reportCallIssue]
    losses, s_BS = [], torch.zeros(4, cell.state_size).double()
    for i in range(steps):
        batch = task.batch(i)
        s_BS = s_BS if task.streams else torch.zeros_like(s_BS)
        total, k = 0.0, learner.update_every or len(batch.x_TBI)
        for start in range(0, len(batch.x_TBI), k):
            loss, s_BS = chunk_loss(
                cell, readout, task, [p[start : start + k] for p in batch], s_BS
            )
            counted = int(batch.mask_TB[start : start + k].sum())
            total += float(loss.detach())
            if counted:
                optimizer.zero_grad()
                (loss / counted).backward()
                optimizer.step()
        losses.append(total / int(batch.mask_TB.sum()))
    return losses, weights


def chunk_loss(cell: Cell, readout: nn.Linear, task: Task, chunk: list[Tensor], s_BS: Tensor):
    """Return the summed loss of a chunk and the state after it."""
    loss, s_BS = torch.zeros(()).double(), s_BS.detach()
    for x_BI, y_B, mask_B, resets_B in zip(*chunk, strict=True):
        s_BS = cell(x_BI.double(), torch.where(resets_B[:, None], 0.0, s_BS))
        z_BO = readout(s_BS[:, : cell.hidden_size])[mask_B]
        if task.loss == "cross_entropy":
            loss = loss + nn.functional.cross_entropy(z_BO, y_B[mask_B], reduction="sum")
        else:
            loss = loss + (z_BO - y_B[mask_B].double()).pow(2).mean(dim=-1).sum()
    return loss, s_BS


def assert_same_rows(rows: list[Row], expected: list[Row]) -> None:
    assert len(rows) == len(expected)
    for row, values in zip(rows, expected, strict=True):
        for key, value in values.items():
            assert row[key] == (value and pytest.approx(value, rel=1e-10, abs=1e-12)), key


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("update_every", [None, 3, 1])
@pytest.mark.parametrize(
    ("loss", "optimizer"), [("cross_entropy", "adam"), ("squared_error", "sgd")]
)
def test_a_run_equals_a_bare_loop_of_automatic_differentiation(
    streams, update_every, loss, optimizer
):
    task = Recall(loss, streams, counted=0.3)  # some chunks count nothing
    learner = sequence_learner(task, update_every=update_every, optimizer=optimizer)
    losses, weights = bare_loop(learner, task, steps=5)
    rows = fit(learner, task, steps=5, evaluate_every=1, seed=0)
    assert_same_rows(
        rows[1:], [row | {"train_loss": x} for row, x in zip(rows[1:], losses, strict=True)]
    )
    for ours, theirs in zip(learner.parameters(), weights, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("algorithm", [RTRL, BlockedRTRL])
@pytest.mark.parametrize("streams", [False, True])
def test_exact_algorithms_draw_one_curve_while_the_weights_are_held(algorithm, streams):
    class Fresh(Recall):
        def _draw(self, index):
            x_TBI, mask_TB, resets_TB = super()._draw(index)
            resets_TB[0] = True  # otherwise a memory reaches back beyond the batch
            return x_TBI, mask_TB, resets_TB

    task = Fresh(streams=streams)
    by_bptt = fit(sequence_learner(task), task, steps=6, evaluate_every=2, seed=0)
    rows = fit(sequence_learner(task, algorithm), task, steps=6, evaluate_every=2, seed=0)
    assert_same_rows(rows, by_bptt)


def test_back_propagation_through_the_unrolled_network_draws_that_curve_too():
    task = Recall()
    network = Unrolled(copy.deepcopy(sequence_learner(task).cell), 2)
    network.readout.load_state_dict(sequence_learner(task).readout.state_dict())
    learner = BackpropLearner(network, task.loss, optimizer="adam", learning_rate=0.1)
    rows = fit(learner, task, steps=6, evaluate_every=2, seed=0)
    by_bptt = sequence_learner(task, optimizer="adam")
    assert_same_rows(rows, fit(by_bptt, task, steps=6, evaluate_every=2, seed=0))


def test_an_annealed_rate_falls_to_nothing_as_half_a_cosine_does():
    task, steps = Recall(), 6
    network = Unrolled(sequence_learner(task).cell, 2).double()
    slow = copy.deepcopy(network)
    learner = BackpropLearner(network, task.loss, "sgd", 0.1, anneal=True)
    fit(learner, task, steps=steps, evaluate_every=2, seed=0)
    for step in range(steps):
        batch = task.batch(step)
        z_NO, y_N = counted_only(slow(batch.x_TBI.double()), batch.y_TB, batch.mask_TB)
        weights = list(slow.parameters())
        gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(z_NO, y_N), weights)
        rate = 0.1 * (1 + math.cos(math.pi * step / steps)) / 2
        for w, gradient in zip(weights, gradients, strict=True):
            w.data -= rate * gradient
    torch.testing.assert_close(network.state_dict(), slow.state_dict(), rtol=1e-12, atol=1e-12)


def test_a_decay_that_would_not_fall_with_an_annealed_rate_is_refused():
    with pytest.raises(ValueError, match="anneal and decay were both given"):
        BackpropLearner(
            torch.nn.Linear(1, 1), "cross_entropy", "sgd", 0.1, None, Decay("l2", 1), True
        )


@pytest.mark.parametrize("algorithm", [RTRL, BlockedRTRL])
def test_on_a_stream_the_memory_reaches_back_beyond_the_batch(algorithm):
    task = Recall(streams=True, resets=0.1)
    learner = sequence_learner(task, algorithm, learning_rate=1e-300, update_every=4)
    fit(learner, task, steps=3, evaluate_every=3, seed=0)
    cell, readout = copy.deepcopy(learner.cell), copy.deepcopy(learner.readout)
    stream = [torch.cat(parts) for parts in zip(*map(task.batch, range(3)), strict=True)]
    start_BS = torch.zeros(4, 8).double()
    before, whole = (  # the last chunk is the last three steps
        chunk_loss(cell, readout, task, [part[:t] for part in stream], start_BS)[0]
        for t in (len(stream[0]) - 3, len(stream[0]))
    )
    loss = (whole - before) / stream[2][-3:].sum()
    expected = torch.autograd.grad(loss, list(cell.parameters()))
    for weight, gradient in zip(learner.cell.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-10, atol=1e-12)


class Spy(Algorithm):
    """BPTT that counts its runs in its memory and notes what it was handed."""

    claim = BPTT.claim

    def __init__(self):
        self.notes: list[tuple[int, Any, bool]] = []

    def run(self, cell, x_TBI, s_BS, credit, memory=None, resets_TB=None) -> Run:
        self.notes.append((len(x_TBI), memory, bool(s_BS.any())))
        run = BPTT().run(cell, x_TBI, s_BS, credit, None, resets_TB)
        return run._replace(memory=(memory or 0) + 1)


def test_state_and_memory_go_from_batch_to_batch_on_streams_alone():
    notes = []
    for streams in (False, True):
        task = Recall(streams=streams, resets=0.0)
        learner = sequence_learner(task, Spy, update_every=4)
        fit(learner, task, steps=2, evaluate_every=2, seed=0)
        assert isinstance(learner.algorithm, Spy)
        notes.append(learner.algorithm.notes)
    apart, stream = notes
    assert apart == [(4, None, False), (3, 1, True), (4, None, False), (3, 1, True)]
    assert stream == [(4, None, False), (3, 1, True), (4, 2, True), (3, 3, True)]
