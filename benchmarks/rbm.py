"""Persistent contrastive divergence beside scikit-learn's BernoulliRBM, which is PCD-1, too.

    ours        a step of plain gradient descent, with the gradient by our PCD-1 estimator
    trainer     the same by the learner under the Trainer, including its start and end
    peer        BernoulliRBM on the same batches
    floor       only the three matrix products of such a step: the hidden units of data and chains,
                the chains' visible units, W's gradient

784 visible units, as MNIST's pixels, and 500 hidden ones, float32, one thread, timed as ``_timing``
says. Pictures are random: the time of a step does not depend on their contents. ``of_peer`` is our
time over scikit-learn's, ``of_floor`` the floor's over ours; both are medians of ratios taken round
by round. An epoch has 60,000 pictures. Targets: at most half of scikit-learn's time with batches of
10, at most .8 of it with batches of 100, and there ``of_floor`` at least .75.
"""

import statistics
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from benchmarks._timing import Work, in_turn, one_thread, quartile, several
from lightning_modules.energies.estimators.persistent import Persistent
from lightning_modules.energies.rbm import RBM
from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.energy import EnergyLearner
from lightning_modules.training.fit import fit

VISIBLE, HIDDEN, EPOCH, RATE = 784, 500, 60_000, 0.01
OF_PEER, OF_FLOOR = {10: 0.5, 100: 0.8}, {100: 0.75}
"""By batch size: the upper limit of ``of_peer``, and the lower limit of ``of_floor``."""

Row = dict[str, Any]


class _Pictures(Task):
    """A few batches of random pictures, repeated."""

    loss, input_size, output_size = "squared_error", VISIBLE, VISIBLE

    def __init__(self, batch: int, batches: int):
        self.x_NI = (torch.rand(batch * batches, VISIBLE) < 0.2).float()
        flags_1B = torch.ones(1, batch, dtype=torch.bool)
        self._batches = [
            Batch(x_BI[None], x_BI[None], flags_1B, flags_1B) for x_BI in self.x_NI.split(batch)
        ]

    def batch(self, index: int) -> Batch:
        """Return one of the batches."""
        return self._batches[index % len(self._batches)]

    def held_out(self) -> Iterator[Batch]:
        """Iterate over nothing: what is timed is training."""
        return iter(())


def run(
    batch: int | tuple[int, ...] = (10, 100), steps: int = 60, rounds: int | None = None
) -> list[Row]:
    """Return a row for each batch size; a round has ``steps`` steps."""
    with one_thread():
        return [_row(size, steps, rounds) for size in several(batch)]


def _row(size: int, steps: int, rounds: int | None) -> Row:
    """Measure one size."""
    torch.manual_seed(0)
    task = _Pictures(size, steps)
    times = in_turn(
        {
            "ours": _ours(task, steps),
            "trainer": _under_trainer(task, steps),
            "peer": _peer(task, size, steps),
            "floor": _floor(task, size, steps),
        },
        rounds,
    )
    row: Row = {"batch": size}
    row |= {f"{name}_ms": 1e3 * quartile(of) for name, of in times.items()}
    row |= {"of_peer": _median(times["ours"], times["peer"])}
    row |= {"of_floor": _median(times["floor"], times["ours"])}
    row |= {"trainer_of_peer": _median(times["trainer"], times["peer"])}
    row |= {"epoch_s": quartile(times["ours"]) * EPOCH / size}
    if size in OF_PEER:
        row |= {"of_peer_target": OF_PEER[size], "of_peer_holds": row["of_peer"] <= OF_PEER[size]}
    if size in OF_FLOOR:
        holds = row["of_floor"] >= OF_FLOOR[size]
        row |= {"of_floor_target": OF_FLOOR[size], "of_floor_holds": holds}
    return row


def _median(over: list[float], under: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def _ours(task: _Pictures, steps: int) -> Work:
    """Return the work of training on the batches with the estimator, without a Trainer."""
    net, memory = RBM(VISIBLE, HIDDEN, Persistent()), None
    weights = [w.detach() for w in net.parameters()]

    def go() -> None:
        nonlocal memory
        for index in range(steps):
            x_BI = task.batch(index).x_TBI[0]
            learned = net.learn(x_BI, x_BI, memory)
            memory = learned.memory
            for w, gradient in zip(weights, learned.gradient, strict=True):
                w.sub_(gradient, alpha=RATE)

    return go, steps


def _under_trainer(task: _Pictures, steps: int) -> Work:
    """Return the work of training by a learner under the Trainer."""
    learner = EnergyLearner(RBM(VISIBLE, HIDDEN, Persistent()), task.loss, "sgd", RATE)

    def go() -> None:
        fit(learner, task, steps=steps, evaluate_every=steps, seed=0, accelerator="cpu")

    return go, steps


def _peer(task: _Pictures, size: int, steps: int) -> Work:
    """Return the work of BernoulliRBM's own steps: an epoch of its ``fit`` without its copies."""
    from sklearn.neural_network import BernoulliRBM

    x_NI = task.x_NI.numpy()
    peer: Any = BernoulliRBM(HIDDEN, learning_rate=RATE, batch_size=size, n_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(x_NI[: 2 * size])  # creates its weights, in float32
    peer.h_samples_ = np.zeros((size, HIDDEN), dtype=x_NI.dtype)
    random = np.random.RandomState(0)

    def go() -> None:
        for index in range(steps):
            peer._fit(x_NI[index * size :][:size], random)

    return go, steps


def _floor(task: _Pictures, size: int, steps: int) -> Work:
    """Return the work of the three matrix products."""
    W_VH, h_BH = torch.randn(HIDDEN, VISIBLE).t(), torch.rand(size, HIDDEN)
    v_NV, h_NH = torch.rand(2 * size, VISIBLE), torch.empty(2 * size, HIDDEN)
    chain_BV, gradient_HV = torch.empty(size, VISIBLE), torch.empty(HIDDEN, VISIBLE)

    def go() -> None:
        for _ in range(steps):
            torch.mm(h_BH, W_VH.t(), out=chain_BV)
            torch.mm(v_NV, W_VH, out=h_NH)
            torch.mm(h_NH.t(), v_NV, out=gradient_HV)

    return go, steps
