"""Training any network or cell to classify pictures: the trial's fields, the run, its figures."""

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import model_validator

from lightning_modules.cells import CELLS
from lightning_modules.networks import NETWORKS
from pipeline.measuring import statistics
from pipeline.measuring.training import DataSet, Learned, Training, tested
from pipeline.study import Count, Figure, Given, Options, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from lightning_modules.training.learner import Learner


class PictureTraining(Training, abc.ABC):
    """A learner that sees pictures whole (task ``images``) or row by row (``row_images``)."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["images", "row_images"]  # pyright: ignore[reportIncompatibleVariableOverride]
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    network: Annotated[str, named(NETWORKS)] | None = None
    cell: Annotated[str, named(CELLS)] | None = None
    """Either a network, or a cell under a linear readout, trained by BPTT."""
    options: Options | None = None
    """Constructor arguments beside the sizes of input and output."""
    size: Count | None = None
    """Rows and columns to which whole pictures are resized; None leaves them as they are."""
    anneal: bool | None = None
    """Whether a network's learning rate falls to 0 over the run, along half a cosine."""
    train_size: Count | None = None
    """The number of training pictures; None is all."""

    @model_validator(mode="after")
    def _one_learner(self) -> "PictureTraining":
        if (self.network is None) == (self.cell is None):
            raise ValueError("give one of network and cell")
        if self.anneal and self.cell is not None:
            raise ValueError("anneal is of networks: a cell's rate is constant")
        return self

    def learn(self, given: Given) -> Learned:
        """Train. Rows of evaluations have record "curve" and ``wrong``, the error in percent.

        The last row, record "test", is the one evaluation on the test part.
        """
        import torch

        sizes: dict[str, Any] = {"train_size": self.train_size, "held_out_size": self.held_out_size}
        shown = {"size": self.size} if self.task == "images" else {"labels": "last"}
        (pictures,) = self.read(given)
        source = TASKS[self.task](pictures, self.seed, self.batch_size, **sizes, **shown)
        torch.manual_seed(self.seed)
        learner = self._learner(source)
        facts = {
            "parameters": sum(weights.numel() for weights in learner.parameters()),
            "pictures": len(pictures.train_y_N),
        }
        rows = self.fit(learner, source, given)
        rows = [*rows, tested(learner, source, rows)]
        return Learned(learner, source, [_recorded(row) | facts for row in rows])

    def _learner(self, source: Any) -> "Learner":
        """Return the learner of a network or of a cell."""
        from lightning_modules.algorithms.bptt import BPTT
        from lightning_modules.networks._pictures import PictureNetwork
        from lightning_modules.training.backprop import BackpropLearner
        from lightning_modules.training.sequence import SequenceLearner

        of: dict[str, Any] = {"optimizer": self.optimizer, "learning_rate": self.learning_rate}
        of["clip"], options = self.clipped(), self.options or {}
        if self.cell is not None:
            built = CELLS[self.cell](source.input_size, **options)
            return SequenceLearner(built, source.output_size, source.loss, BPTT(), None, **of)
        if self.anneal:
            of["anneal"] = True
        kind: Any = NETWORKS[str(self.network)]
        whole = self.task == "images" and issubclass(kind, PictureNetwork)
        seen: Any = source.shape_CYX if whole else source.input_size
        return BackpropLearner(kind(seen, source.output_size, **options), source.loss, **of)


def in_percent(accuracy: float | None) -> float | None:
    """Return the error in percent."""
    return None if accuracy is None else 100 * (1 - accuracy)


def _recorded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its kind, ``record``; an evaluation's with ``wrong``, in percent, too."""
    if "probe" in row:
        return {**row, "record": "probe"}
    return {"record": "curve", **row, "wrong": in_percent(row["held_out_accuracy"])}


LABELS = {
    "step": "batches",
    "examples": "pictures seen",
    "wrong": "wrong, %",
    "value": "‖∂L/∂h‖",
    "train_size": "digits",
    "module": "layer",
}


def ends(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return each run's row of the test part; ``by`` names the columns that identify a run."""
    return statistics.last_evaluations(rows[rows["record"] == "test"], by)


def curves(hue: str, column: str | None = None, x: str = "step") -> Figure:
    """Return the figure of the held-out error over training."""
    return Figure(
        name="wrong",
        title="Held-out digits that are wrong",
        caption="Percent of the pictures of the training part that are held out, mean and range "
        "over seeds; the test part is looked at once, at the end.",
        x=x,
        y="wrong",
        where={"record": "curve"},
        hue=hue,
        column=column,
        log_y=True,
        labels=LABELS,
    )


def errors(
    hue: str, x: str = "step", column: str | None = None, where: dict[str, int] | None = None
) -> Figure:
    """Return the figure of the back-propagated error at each layer over training."""
    return Figure(
        name="error",
        title="Error that comes back to each layer",
        caption="‖∂L/∂h‖ of a layer's outputs over a batch, mean since the evaluation before; "
        "layers are counted in the order in which pictures go through them.",
        x=x,
        y="value",
        where={"probe": "error_flow", **(where or {})},
        hue=hue,
        column=column,
        log_y=True,
        labels=LABELS,
    )
