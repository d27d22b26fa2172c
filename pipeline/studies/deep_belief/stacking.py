"""A stack of RBMs by description: the fields that trials of deep networks share."""

import abc
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveFloat

from pipeline.measuring.training import DataSet, Training
from pipeline.study import AS_TEXT, Count, Given

if TYPE_CHECKING:
    from lightning_modules.energies._energy import Estimator
    from lightning_modules.energies.rbm import RBM


class Stacked(Training, abc.ABC):
    """Layers of hidden units, each an RBM before it is anything else, learned by CD-k."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["images"]  # pyright: ignore[reportIncompatibleVariableOverride]
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    hidden: Annotated[list[Count], Field(min_length=1), *AS_TEXT]
    pretraining: Count
    """Batches that each RBM learns from."""
    pretraining_rate: PositiveFloat
    """Of Adam at its start; it falls to 0."""
    spread: PositiveFloat
    """The standard deviation of their weights at the start."""
    sweeps: Count
    """k of contrastive divergence."""

    def stack(
        self, source: Any, given: Given, classes: int = 0, top: "Estimator | None" = None
    ) -> "list[RBM]":
        """Return RBMs that learned greedily from a task, the topmost with so many classes.

        It learns by ``top``, if that is given.
        """
        import torch

        from lightning_modules.energies.estimators.contrastive_divergence import (
            ContrastiveDivergence,
        )
        from lightning_modules.energies.rbm import RBM
        from lightning_modules.training.greedy import greedy

        torch.manual_seed(self.seed)
        sizes, rbms = [source.input_size, *self.hidden], []
        for place, units in enumerate(self.hidden):
            last = place == len(self.hidden) - 1
            by = top if last and top is not None else ContrastiveDivergence(self.sweeps)
            own = classes if last else 0
            rbms.append(RBM(sizes[place], units, by, classes=own, spread=self.spread))
        greedy(
            rbms,
            source,
            steps=self.pretraining,
            optimizer="adam",
            rates=[self.pretraining_rate] * len(rbms),
            seed=self.seed,
            scratch=given.scratch / "greedy",
        )
        return rbms
