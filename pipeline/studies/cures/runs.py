"""One network trained under one cure, as both parts of the study do it.

All matrices of weights start from a normal distribution of the given deviation, all biases at 0,
as in Pascanu et al. (2013); each update is plain gradient descent on a batch of whole sequences.
"""

import abc
from typing import TYPE_CHECKING, Any

from pydantic import PositiveFloat

from pipeline.measuring.training import SequenceTraining
from pipeline.study import Given

if TYPE_CHECKING:
    from lightning_modules.interfaces import Cell, Task
    from lightning_modules.training.sequence import SequenceLearner


class Cure(SequenceTraining, abc.ABC):
    """A network on a task, and what is done against exploding gradients."""

    deviation: PositiveFloat
    """Of the weights at the start."""

    def learner_of(self, source: "Task", cell: "Cell") -> "SequenceLearner":
        """Return what learns, its weights where they start."""
        from torch import nn

        learner = super().learner_of(source, cell)
        for w in learner.parameters():
            nn.init.normal_(w, 0.0, self.deviation) if w.dim() > 1 else nn.init.zeros_(w)
        return learner

    def train(self, given: Given) -> list[dict[str, Any]]:
        """Return a row for each evaluation, with what was probed since the one before."""
        evaluations: list[dict[str, Any]] = []
        for row in self.learn(given).rows:
            if "probe" in row:
                evaluations[-1][row["quantity"]] = row["value"]
            else:
                evaluations.append(dict(row))
        return evaluations
