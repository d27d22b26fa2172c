"""The weights that did best on held-out data, so that the tested model is chosen without test data.

Give it to ``fit`` among the probes: like them it is called at each evaluation, but makes no rows.
"""

from typing import Any, final

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_modules.training.recorder import Recorder


@final
class Best(Callback):
    """A copy of the weights at the evaluation with the highest held-out accuracy, the first such.

    Attributes:
        step: after how many batches that was.
        weights: the learner's ``state_dict`` then; empty before the first evaluation.
    """

    def __init__(self) -> None:
        """Start without weights."""
        self.step, self.accuracy = 0, -1.0
        self.weights: dict[str, Tensor] = {}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find whose evaluations and which weights these are."""
        del stage
        callbacks: Any = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
        self._recorder = next(one for one in callbacks if isinstance(one, Recorder))
        self._learner = pl_module

    def rows(self, step: int) -> list[Any]:
        """Look at the evaluation that has just been recorded; return no rows."""
        accuracy = self._recorder.rows[-1]["held_out_accuracy"]
        if accuracy is not None and accuracy > self.accuracy:
            self.step, self.accuracy = step, accuracy
            self.weights = {k: w.clone() for k, w in self._learner.state_dict().items()}
        return []

    def take_back(self) -> None:
        """Give the learner these weights, where there are some."""
        if self.weights:
            self._learner.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Return what goes into checkpoints."""
        return {"step": self.step, "accuracy": self.accuracy, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.step, self.accuracy = state_dict["step"], state_dict["accuracy"]
        self.weights = state_dict["weights"]
