"""A step under Lightning's Trainer against a bare loop of the same arithmetic.

Both loops take the same batches and do the same floating-point work; the difference is the cost of
the Trainer and of the records kept at each step. CPU time, the two interleaved, medians over
rounds.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.cells.gru import GRU
from lightning_modules.cells.srn import SRN
from lightning_modules.interfaces import Algorithm, Batch, Cell, Task
from lightning_modules.networks.unrolled import Unrolled
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit
from lightning_modules.training.flat import Flat
from lightning_modules.training.learner import Learner
from lightning_modules.training.readout import ReadoutCredit
from lightning_modules.training.sequence import SequenceLearner

TARGET = 1.7
HIDDEN, BATCH, LENGTH, INPUTS, CLASSES = 64, 32, 28, 28, 10
ROUNDS, STEPS, WARM = 9, 150, 20


class Rows(Task):
    """Random sequences, shaped like images read row by row; times the steps between two batches."""

    input_size, output_size, loss = INPUTS, CLASSES, "cross_entropy"

    def __init__(self, labels: str):
        """Count the last output (``labels="last"``) or every one."""
        shape = (LENGTH, BATCH)
        mask_TB = torch.ones(shape, dtype=torch.bool)
        mask_TB[:-1] = labels == "every"
        self._batches = [
            Batch(
                torch.randn(*shape, INPUTS),
                torch.randint(CLASSES, shape),
                mask_TB,
                torch.zeros(shape, dtype=torch.bool),
            )
            for _ in range(8)
        ]
        self.seconds = 0.0

    def batch(self, index: int) -> Batch:
        """Return one of eight batches; the stopwatch runs from batch WARM to WARM + STEPS."""
        if index == WARM:
            self.seconds = -time.process_time()
        if index == WARM + STEPS:
            self.seconds += time.process_time()
        return self._batches[index % 8]

    def held_out(self) -> Iterator[Batch]:
        """Iterate over one batch only: evaluation is not timed."""
        yield self._batches[0]


def run() -> list[dict[str, Any]]:
    """Return a row for each case: microseconds a step bare and trained, and their ratio."""
    torch.set_num_threads(1)
    cases = {
        "srn, bptt, label at the end": (Rows("last"), partial(_learner, SRN, BPTT, None)),
        "srn, bptt, label at every step": (Rows("every"), partial(_learner, SRN, BPTT, None)),
        "gru, bptt, label at every step": (Rows("every"), partial(_learner, GRU, BPTT, None)),
        "srn, tbptt, update at every step": (Rows("every"), partial(_learner, SRN, TBPTT, 1)),
        "srn, automatic differentiation": (Rows("every"), _unrolled),
        "perceptron, automatic differentiation": (Rows("every"), _perceptron),
    }
    return [{"case": name, **_compare(*case)} for name, case in cases.items()]


def _compare(task: Rows, build: Callable[[], Learner]) -> dict[str, Any]:
    """Time both loops in turn; return microseconds a step and their ratio."""
    bare, trained = [], []
    for _ in range(ROUNDS):
        _bare(build(), task)
        bare.append(task.seconds / STEPS * 1e6)
        fit(build(), task, steps=WARM + STEPS + 1, evaluate_every=10**9, seed=0, accelerator="cpu")
        trained.append(task.seconds / STEPS * 1e6)
    ratio = statistics.median(t / b for t, b in zip(trained, bare, strict=True))
    return {
        "bare_us": round(statistics.median(bare), 1),
        "trainer_us": round(statistics.median(trained), 1),
        "ratio": round(ratio, 3),
        "target": TARGET,
        "holds": ratio <= TARGET,
    }


def _bare(learner: Learner, task: Rows) -> None:
    """Train in a plain loop, without a Trainer."""
    learner.begin(task)
    if isinstance(learner, SequenceLearner):
        _bare_sequence(learner, task)
    elif isinstance(learner, BackpropLearner):
        _bare_backprop(learner, task)


@torch.no_grad()
def _bare_sequence(learner: SequenceLearner, task: Rows) -> None:
    """Train a cell: run the algorithm, copy the gradient, move the weights, keep the loss."""
    flat = Flat([learner.cell, learner.readout])
    flat.attach()
    optimizer = torch.optim.SGD([flat.weights_P], lr=learner.learning_rate)
    k, losses = learner.update_every or LENGTH, []
    for index in range(WARM + STEPS + 1):
        batch = task.batch(index)
        counted_T = batch.mask_TB.sum(dim=1).tolist()
        s_BS, memory = torch.zeros(BATCH, learner.cell.state_size), None
        for t in range(0, LENGTH, k):
            x_TBI, y_TB, mask_TB = (part[t : t + k] for part in batch[:3])
            counts = counted_T[t : t + k]
            credit = ReadoutCredit(learner.readout, learner.loss, y_TB, mask_TB, counts)
            gradient_P, s_BS, memory, *_ = learner.algorithm.run(
                learner.cell, x_TBI, s_BS, credit, memory
            )
            torch.cat([gradient_P, credit.gradient_P], out=flat.gradient_P)
            flat.gradient_P /= credit.counted
            optimizer.step()
            losses.append(float(credit.loss))


def _bare_backprop(learner: BackpropLearner, task: Rows) -> None:
    """Train a network: forward, backward and optimizer step, and keep the loss."""
    optimizer = torch.optim.SGD(learner.network.parameters(), lr=learner.learning_rate)
    losses = []
    for index in range(WARM + STEPS + 1):
        batch = task.batch(index)
        z_TBO = learner.network(batch.x_TBI)  # every output counts
        loss = nn.functional.cross_entropy(z_TBO.flatten(0, 1), batch.y_TB.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))


def _learner(
    cell: Callable[[int, int], Cell], algorithm: Callable[[], Algorithm], update_every: int | None
) -> SequenceLearner:
    """Return the learner of a cell by an algorithm."""
    return SequenceLearner(
        cell=cell(INPUTS, HIDDEN),
        output_size=CLASSES,
        loss="cross_entropy",
        algorithm=algorithm(),
        update_every=update_every,
        optimizer="sgd",
        learning_rate=0.01,
    )


def _unrolled() -> BackpropLearner:
    """Return the SRN as a network trained by automatic differentiation."""
    return BackpropLearner(Unrolled(SRN(INPUTS, HIDDEN), CLASSES), "cross_entropy", "sgd", 0.01)


def _perceptron() -> BackpropLearner:
    """Return a network so small that a step is mostly overhead, in the bare loop too."""
    layers = nn.Linear(INPUTS, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, CLASSES)
    return BackpropLearner(nn.Sequential(*layers), "cross_entropy", "sgd", 0.01)
