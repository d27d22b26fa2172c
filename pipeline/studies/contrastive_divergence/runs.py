"""What trials of restricted Boltzmann machines are described by, and what they are trained by."""

import abc
from typing import TYPE_CHECKING, Annotated, Any

from lightning_modules.energies.estimators import ESTIMATORS
from pipeline.measuring.training import Learned, Training
from pipeline.study import Count, Given, named

if TYPE_CHECKING:
    from torch import Tensor


class EnergyTraining(Training, abc.ABC):
    """A network trained by an estimate of its likelihood's gradient."""

    estimator: Annotated[str, named(ESTIMATORS)]
    sweeps: Count | None = None
    """Of the estimator's chains, a batch."""
    centred: bool | None = None
    """Whether the gradient is that of units counted from their means."""
    anneal: bool | None = None
    """Whether the rate falls to 0 over the run, in a line."""
    hidden_size: Count
    spread: float
    """Of the weights at the start."""

    def estimator_of(self, **options: Any) -> Any:
        """Return the estimator, built with these options, too."""
        from lightning_modules.energies.estimators.centred import Centred

        said = options if self.sweeps is None else {"sweeps": self.sweeps, **options}
        inner = ESTIMATORS[self.estimator](**said)
        return Centred(inner) if self.centred else inner

    def train(self, given: Given, source: Any, energy: Any) -> Learned:
        """Train a network on a task."""
        from lightning_modules.training.energy import EnergyLearner

        learner = EnergyLearner(
            energy,
            source.loss,
            self.optimizer,
            self.learning_rate,
            clip=self.clipped(),
            anneal=bool(self.anneal),
        )
        return Learned(learner, source, self.fit(learner, source, given))

    def rbm(self, source: Any, mean_V: "Tensor | None" = None) -> Any:
        """Return a machine at its start, of the data's means where these are given."""
        from lightning_modules.energies.rbm import RBM

        net = RBM(source.input_size, self.hidden_size, self.estimator_of(), spread=self.spread)
        if mean_V is not None:
            net.start_from(mean_V)
        return net


def gradient_by(name: str, sweeps: Any, centred: Any) -> str:
    """Return what a way to the gradient is called: CD-10, PCD-1, exact."""
    short = {"contrastive_divergence": "CD", "persistent": "PCD"}.get(name, name)
    k = f"-{int(sweeps or 1)}" if short != name else ""
    return f"{short}{k}{', centred' if centred is True else ''}"
