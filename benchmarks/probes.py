"""The cost of probes: a training step with them beside the same step without.

A step is a forward and backward pass through T = 100 steps with one loss at the end, SGD, 32
inputs, batch 32, float32, one thread (or a GPU with ``device=cuda``), timed as ``_timing`` says. It
runs without the Trainer, whose cost would hide that of the probes. A round is 25 steps and ends
with the probes' rows. Targets are for the CPU only.

    always     error_flow, horizon, clipping, updates and gates at every step
    look       spectrum, curvature and noise, all at every step
    seldom     the same every 50 steps, computed: plain + (look - plain) / 50

``always_of_plain`` and ``seldom_of_plain`` are ratios to the step without probes, taken round by
round: their lower quartile, and beside it their ``median``, on which other load of the machine has
more effect. ``…_us`` is the time of a step. With ``losses="every"`` each time step has a loss, and
``horizon`` has to remove these from the error.
"""

import statistics
from collections.abc import Callable
from typing import Any

import torch

from benchmarks import _timing
from benchmarks._timing import Work, in_turn, model, one_thread, quartile, several
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells import CELLS
from lightning_modules.cells.stack import Stack
from lightning_modules.interfaces import Batch, Cell, Task
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import Probe
from lightning_modules.training.fit import fit
from lightning_modules.training.sequence import SequenceLearner

INPUTS, CLASSES, STEPS, BATCH, APART = 32, 10, 100, 32, 50
ROUND, LOOKS, MORE = 25, 3, 3
ALWAYS = ("error_flow", "horizon", "clipping", "updates", "gates")
SELDOM = ("spectrum", "curvature", "noise")
TARGETS = {"always": 1.10, "seldom": 1.08}
"""Upper limits of the ratio to the step without probes."""

Row = dict[str, Any]


def run(
    sizes: int | tuple[int, ...] = (64, 128),
    cells: str | tuple[str, ...] = ("srn", "gru", "lstm", "stack"),
    losses: str = "last",
    device: str = "cpu",
) -> list[Row]:
    """Return a row for each cell and number of hidden units."""
    names = (cells,) if isinstance(cells, str) else cells
    with one_thread(device):
        return [_measured(name, n, losses, device) for name in names for n in several(sizes)]


def _measured(name: str, n: int, losses: str, device: str) -> Row:
    """Return the times of one cell and size, and their ratios."""
    forms = {
        "plain": ((), ROUND),
        "always": (ALWAYS, ROUND),
        "look": (SELDOM, LOOKS),
    }
    task = _Sequences(losses)
    work = {
        k: _training(_cell(name, n), task, names, steps, device)
        for k, (names, steps) in forms.items()
    }
    taken = in_turn(work, _timing.ROUNDS * MORE, device)
    row: Row = {"device": model(device), "cell": name, "n": n, "losses": losses}
    row |= {f"{form}_us": quartile(times) * 1e6 for form, times in taken.items()}
    rounds = list(zip(*(taken[form] for form in forms), strict=True))
    ratios = {
        "always": [always / plain for plain, always, _ in rounds],
        "seldom": [1 + (look / plain - 1) / APART for plain, _, look in rounds],
    }
    for form, most in TARGETS.items():
        ratio = quartile(ratios[form])
        row |= {f"{form}_of_plain": ratio, f"{form}_median": statistics.median(ratios[form])}
        if device == "cpu":
            row[f"{form}_at_most_{most:g}"] = ratio <= most
    return row


def _cell(name: str, n: int) -> Cell:
    """Return a cell with the same weights at every call; a stack is two LSTMs."""
    torch.manual_seed(0)
    build: Callable[[int, int], Cell] = CELLS["lstm" if name == "stack" else name]
    return Stack([build(INPUTS, n), build(n, n)]) if name == "stack" else build(INPUTS, n)


def _training(cell: Cell, task: Task, names: tuple[str, ...], steps: int, device: str) -> Work:
    """Return the work of training steps under the probes, which observe every step."""
    probes: list[Probe] = [PROBES[name](every=1) for name in names]
    learner = SequenceLearner(cell, CLASSES, task.loss, BPTT(), None, "sgd", 1e-3)
    learner.cpu = lambda: learner  # a Trainer would move it to the CPU at its end
    # One step under a Trainer attaches the probes and the optimizer, which stay.
    fit(learner, task, steps=1, evaluate_every=1, seed=0, accelerator=device, probes=probes)
    learner._flat.attach()
    batch = Batch(*(part.to(device) for part in task.batch(0)))

    def go() -> None:
        for index in range(steps):
            learner.training_step(batch, index)
            learner.books.settle(learner.moved)
        for probe in probes:
            probe.rows(steps)

    return go, steps


class _Sequences(Task):
    """One batch of noise."""

    input_size, output_size, loss = INPUTS, CLASSES, "cross_entropy"

    def __init__(self, losses: str):
        """Count the last output (``losses="last"``) or every one."""
        shape = (STEPS, BATCH)
        mask_TB = torch.ones(shape, dtype=torch.bool)
        mask_TB[:-1] = losses == "every"
        x_TBI, y_TB = torch.randn(*shape, INPUTS), torch.randint(CLASSES, shape)
        self._batch = Batch(x_TBI, y_TB, mask_TB, torch.zeros(shape, dtype=torch.bool))

    def batch(self, index: int) -> Batch:
        """Return the batch."""
        return self._batch

    def held_out(self):
        """Iterate over the one batch."""
        yield self._batch
