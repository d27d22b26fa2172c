"""A pass of Kohonen's batch map beside minisom's, which is the same map.

    ours        a pass of ``batch_som``: winners, sums of what they won, means
    double      the same in float64, which is minisom's type
    trainer     a pass of the learner under the Trainer, including its start and end
    peer        minisom's train_batch_offline, a pass a call
    floor       only the two matrix products of a pass, for distances and for means

20×20 units, 784 inputs, one thread, timed as ``_timing`` says, in float32 unless stated otherwise.
Pictures are random: the time of a pass does not depend on their contents. ``of_peer`` is our time
over minisom's for equal passes, ``of_floor`` the floor's over ours; both are medians of ratios
taken round by round. ``error`` is the relative distance between both maps' weights after ``PASSES``
passes from the same start, at a constant radius, in float64.

minisom is in the extra dev: `pip install -e '.[dev]'`; without it the benchmark says so and times
the others.
"""

import importlib.util
import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from benchmarks._timing import Work, in_turn, one_thread, quartile, several
from lightning_modules.interfaces import Batch, Task
from lightning_modules.maps.batch_som import BatchSOM
from lightning_modules.training.fit import fit
from lightning_modules.training.map import MapLearner

ROWS = COLUMNS = 20
INPUTS, RADIUS, PASSES = 784, 2.0, 3
UNITS = ROWS * COLUMNS

Row = dict[str, Any]


class _Pictures(Task):
    """All pictures in each batch."""

    loss, input_size, output_size = "squared_error", INPUTS, INPUTS

    def __init__(self, size: int):
        self.x_NI = (torch.rand(size, INPUTS) < 0.2).float()
        flags_1B = torch.ones(1, size, dtype=torch.bool)
        self._batch = Batch(self.x_NI[None], self.x_NI[None], flags_1B, flags_1B)

    def batch(self, index: int) -> Batch:
        """Return all pictures."""
        del index
        return self._batch

    def held_out(self) -> Iterator[Batch]:
        """Iterate over nothing: what is timed is training."""
        return iter(())


def run(pictures: int | tuple[int, ...] = (1000,), rounds: int | None = 3) -> list[Row]:
    """Return a row for each number of pictures."""
    with one_thread():
        return [_row(size, rounds) for size in several(pictures)]


def _row(size: int, rounds: int | None) -> Row:
    """Measure one number of pictures."""
    torch.manual_seed(0)
    task = _Pictures(size)
    start_MI = task.x_NI[torch.randint(size, (UNITS,))] + 0.1 * torch.rand(UNITS, INPUTS)
    work = {
        "ours": _ours(task.x_NI, _map(start_MI)),
        "double": _ours(task.x_NI.double(), _map(start_MI).double()),
        "trainer": _under_trainer(task, _map(start_MI)),
        "floor": _floor(task.x_NI),
    }
    here = importlib.util.find_spec("minisom") is not None
    if here:
        work["peer"] = _peer(task.x_NI, _peer_map(start_MI))
    times = in_turn(work, rounds)
    row: Row = {"pictures": size, "units": UNITS}
    row |= {f"{name}_ms": 1e3 * quartile(of) for name, of in times.items()}
    row |= {"of_floor": _median(times["floor"], times["ours"])}
    if not here:
        return {**row, "peer": "not installed (minisom): pip install -e '.[dev]'"}
    row |= {"of_peer": _median(times["ours"], times["peer"])}
    row |= {"double_of_peer": _median(times["double"], times["peer"])}
    row |= {"trainer_of_peer": _median(times["trainer"], times["peer"])}
    return {**row, "error": _error(task.x_NI, start_MI)}


def _median(over: list[float], under: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def _map(start_MI: torch.Tensor) -> BatchSOM:
    """Return our map with these weights and a constant radius."""
    made = BatchSOM(INPUTS, ROWS, COLUMNS, radius=(RADIUS, RADIUS))
    made.place(start_MI)
    return made


def _peer_map(start_MI: torch.Tensor) -> Any:
    """Return minisom's map with the same weights; with a rate of 1 units move to the means."""
    minisom: Any = importlib.import_module("minisom")
    # Each call starts from the given radius, so calls of one pass have a constant radius.
    made = minisom.MiniSom(
        ROWS, COLUMNS, INPUTS, sigma=RADIUS, learning_rate=1.0, decay_function=_constant
    )
    made._weights = start_MI.double().numpy().reshape(ROWS, COLUMNS, INPUTS).copy()
    return made


def _constant(rate: float, iteration: int, iterations: int) -> float:
    """Return the rate unchanged."""
    del iteration, iterations
    return rate


def _ours(x_NI: torch.Tensor, made: BatchSOM) -> Work:
    """Return the work of a pass of our map."""
    return lambda: made.learn(x_NI), 1


def _under_trainer(task: _Pictures, made: BatchSOM) -> Work:
    """Return the work of a learner's passes under the Trainer."""
    learner = MapLearner(made, task.loss)

    def go() -> None:
        fit(learner, task, steps=PASSES, evaluate_every=PASSES, seed=0, accelerator="cpu")

    return go, PASSES


def _peer(x_NI: torch.Tensor, made: Any) -> Work:
    """Return the work of minisom's pass."""
    of = x_NI.double().numpy()
    return lambda: made.train_batch_offline(of, 1), 1


def _floor(x_NI: torch.Tensor) -> Work:
    """Return the work of the two matrix products."""
    w_MI, h_MM = torch.rand(UNITS, INPUTS), torch.rand(UNITS, UNITS)
    d_NM, sum_MI = torch.empty(len(x_NI), UNITS), torch.empty(UNITS, INPUTS)

    def go() -> None:
        torch.mm(x_NI, w_MI.t(), out=d_NM)
        torch.mm(h_MM, w_MI, out=sum_MI)

    return go, 1


def _error(x_NI: torch.Tensor, start_MI: torch.Tensor) -> float:
    """Return the relative distance between both maps' weights after ``PASSES`` passes."""
    ours, theirs = _map(start_MI).double(), _peer_map(start_MI)
    for _ in range(PASSES):
        ours.learn(x_NI.double())
        theirs.train_batch_offline(x_NI.double().numpy(), 1)
    found = theirs.get_weights().reshape(UNITS, INPUTS)
    return float(np.linalg.norm(ours.w_MI.numpy() - found) / np.linalg.norm(found))
