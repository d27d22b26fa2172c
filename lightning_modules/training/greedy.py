"""Greedy learning of a stack: each RBM learns the means of the hidden units of those below it.

    h_0 = x        RBM k learns p(h_(k-1)), then h_k = ⟨h⟩ given h_(k-1)

The topmost one learns the classes too, where it has units for them. The visible biases of each
start at the log-odds of its data's means over the first batches.

References:
    Hinton, Osindero & Teh (2006), A fast learning algorithm for deep belief nets, Neural
        Computation 18(7): each layer added can only raise a bound on the data's likelihood.
"""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, final

import torch

from lightning_modules.energies.linear_rbm import LinearRBM
from lightning_modules.energies.rbm import RBM
from lightning_modules.interfaces import Batch, Task
from lightning_modules.training.energy import EnergyLearner
from lightning_modules.training.fit import fit

Layer = RBM | LinearRBM
FIRST = 10
"""Batches whose means the biases start from."""


@final
class Lifted(Task):
    """The means of the hidden units of some RBMs, lowest first, over another task's inputs.

    The targets are the other task's classes, or the means themselves.
    """

    def __init__(self, task: Task, below: Sequence[Layer], classes: bool):
        """``classes`` asks for the other's classes; ValueError where it has none."""
        if classes and task.loss != "cross_entropy":
            raise ValueError(
                f"an RBM has classes, but the task's loss is {task.loss}: give it some"
            )
        self._task, self._below, self._classes = task, below, classes
        self.input_size = below[-1].hidden_size if below else task.input_size
        self.output_size = task.output_size if classes else self.input_size
        self.loss = "cross_entropy" if classes else "squared_error"

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        return self._lifted(self._task.batch(index))

    def held_out(self) -> Iterator[Batch]:
        """Iterate over the held-out data."""
        yield from map(self._lifted, self._task.held_out())

    @torch.no_grad()
    def _lifted(self, batch: Batch) -> Batch:
        h_NH = batch.x_TBI.flatten(0, 1)
        for rbm in self._below:
            h_NH = rbm.hidden(h_NH.to(rbm.W))
        h_TBH = h_NH.unflatten(0, batch.x_TBI.shape[:2])
        return batch._replace(x_TBI=h_TBH, y_TB=batch.y_TB if self._classes else h_TBH)


def greedy(
    rbms: Sequence[Layer],
    task: Task,
    *,
    steps: int,
    optimizer: str,
    rates: Sequence[float],
    seed: int,
    scratch: pathlib.Path | None = None,
) -> list[dict[str, Any]]:
    """Train a stack, the lowest RBM first, each for ``steps`` batches at its rate, which falls.

    Returns:
        Rows as ``fit`` returns them, with ``layer``, counted from 1.
    """
    rows = []
    for place, (rbm, rate) in enumerate(zip(rbms, rates, strict=True), start=1):
        lifted = Lifted(task, rbms[: place - 1], bool(rbm.classes))
        rbm.start_from(_mean(lifted, rbm))
        learner = EnergyLearner(rbm, lifted.loss, optimizer, rate, anneal=True)
        of = None if scratch is None else scratch / f"layer-{place}"
        told = fit(learner, lifted, steps=steps, evaluate_every=steps, seed=seed, scratch=of)
        rows += [{**row, "layer": place} for row in told]
    return rows


def _mean(task: Lifted, rbm: Layer) -> torch.Tensor:
    """Return the means of what an RBM sees, over the first batches."""
    seen = []
    for batch in map(task.batch, range(FIRST)):
        x_NI = batch.x_TBI.flatten(0, 1).to(rbm.W)
        if rbm.classes:
            t_NK = torch.nn.functional.one_hot(batch.y_TB.flatten(), rbm.classes).to(x_NI)
            x_NI = torch.cat([x_NI, t_NK], dim=1)
        seen.append(x_NI)
    return torch.cat(seen).mean(dim=0)
