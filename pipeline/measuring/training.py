"""Training runs described by a trial's fields: the fields that trials share, and the run itself.

A study's Trial derives from one of these classes, adds its own fields, and returns its rows:

    class Memory(SequenceTraining):
        variant: str

        def measure(self, given):
            return self.learn(given).rows
"""

import abc
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import NonNegativeFloat, PositiveFloat, model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.data.sources import SOURCES
from pipeline.measuring.probing import Probes, build
from pipeline.study import Count, Given, Trial, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from lightning_modules.interfaces import Algorithm, Cell, Task
    from lightning_modules.training.learner import Learner
    from lightning_modules.training.sequence import SequenceLearner

DataSet = Annotated[str, named(SOURCES)]


class Learned(NamedTuple):
    """The result of a training run."""

    learner: Any
    source: Any
    """The task that was learned."""
    rows: list[dict[str, Any]]
    """The rows of its evaluations and its probes, in order."""


def tested(learner: "Learner", source: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of the one evaluation on the test part, after the training with ``rows``.

    It is the last row of training with the test part's loss and accuracy as the held-out ones, and
    unchanged for a run that diverged.
    """
    last = [row for row in rows if "probe" not in row][-1]
    if not last["diverged"]:
        loss, accuracy = learner.evaluate(source.test())
        last = {**last, "held_out_loss": loss, "held_out_accuracy": accuracy}
    return {**last, "record": "test"}


class Training(Trial, abc.ABC):
    """The fields of every training run by batches."""

    task: Annotated[str, named(TASKS)]
    dataset: DataSet | None = None
    """The data set that the task is made from; None for a generated task."""
    optimizer: Literal["adam", "sgd"]
    learning_rate: PositiveFloat
    clip: Literal["norm", "value", "adaptive"] | None = None
    threshold: PositiveFloat | None = None
    """The threshold of the clip."""
    batch_size: Count
    steps: Count
    """Batches of training."""
    evaluations: Count | None = None
    """The number of evaluations on the held-out part; give this or ``evaluate_every``."""
    evaluate_every: Count | None = None
    """Batches from one evaluation to the next."""
    held_out_size: Count
    probes: Probes | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Training":
        if (self.evaluations is None) == (self.evaluate_every is None):
            raise ValueError("give one of evaluations and evaluate_every")
        if (self.clip is None) != (self.threshold is None):
            raise ValueError("clip and threshold go together: give both or none")
        return self

    @property
    def every(self) -> int:
        """Batches from one evaluation to the next."""
        return self.evaluate_every or max(1, self.steps // (self.evaluations or 1))

    def read(self, given: Given) -> list[Any]:
        """Return the data set that the task is made from, in a list; empty for a generated task."""
        return [] if self.dataset is None else [given.data[self.dataset]]

    def clipped(self) -> Any:
        """Return the gradient's clip, or None."""
        from lightning_modules.training.clipping import Clip

        return None if self.clip is None else Clip(self.clip, self.threshold or 0.0)

    def fit(
        self,
        learner: "Learner",
        source: "Task",
        given: Given,
        steps: int | None = None,
        every: int | None = None,
    ) -> list[dict[str, Any]]:
        """Train, and return the rows of evaluations and probes.

        ``steps`` and ``every``, in batches, override the trial's fields.
        """
        from lightning_modules.training.fit import fit

        return fit(
            learner,
            source,
            steps=steps or self.steps,
            evaluate_every=every or self.every,
            seed=self.seed,
            scratch=given.scratch,
            probes=build(self.probes),
        )


class SequenceTraining(Training, abc.ABC):
    """A cell under a linear readout, trained on a task of sequences by any algorithm."""

    length: Count | None = None
    """Steps of a sequence; None if the task sets the length itself."""
    cell: Annotated[str, named(CELLS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    horizon: Count | None = None
    """Truncated BPTT: how many steps it looks back."""
    stride: Count | None = None
    """Truncated BPTT: for how many steps losses go back together."""
    block_length: Count | None = None
    """Blocked RTRL: steps of a block."""
    update_every: Count | None = None
    """Steps from one update to the next; None is one update at the end of each batch."""
    hidden_size: Count
    decay: Literal["l1", "l2"] | None = None
    strength: NonNegativeFloat | None = None
    """The coefficient of the decay."""

    @model_validator(mode="after")
    def _decay_whole(self) -> "SequenceTraining":
        if (self.decay is None) != (self.strength is None):
            raise ValueError("decay and strength go together: give both or none")
        return self

    def task_of(self, given: Given, **options: Any) -> Any:
        """Return the task, built with the trial's sizes and these options."""
        sizes = {"batch_size": self.batch_size, "held_out_size": self.held_out_size}
        length = {} if self.length is None else {"length": self.length}
        return TASKS[self.task](*self.read(given), seed=self.seed, **sizes, **length, **options)

    def cell_of(self, source: "Task") -> "Cell":
        """Return a new cell, its weights as they are initialised."""
        return CELLS[self.cell](source.input_size, self.hidden_size)

    def algorithm_of(self) -> "Algorithm":
        """Return the algorithm, built with the trial's options for it."""
        said = {name: getattr(self, name) for name in ("horizon", "stride", "block_length")}
        return ALGORITHMS[self.algorithm](**{k: v for k, v in said.items() if v is not None})

    def learner_of(self, source: "Task", cell: "Cell") -> "SequenceLearner":
        """Return the learner."""
        from lightning_modules.training.decay import Decay
        from lightning_modules.training.sequence import SequenceLearner

        return SequenceLearner(
            cell=cell,
            output_size=source.output_size,
            loss=source.loss,
            algorithm=self.algorithm_of(),
            update_every=self.update_every,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            clip=self.clipped(),
            decay=None if self.decay is None else Decay(self.decay, self.strength or 0.0),
        )

    def learn(self, given: Given, **options: Any) -> Learned:
        """Train from the trial's seed; ``options`` are the task's."""
        import torch

        torch.manual_seed(self.seed)
        source = self.task_of(given, **options)
        learner = self.learner_of(source, self.cell_of(source))
        return Learned(learner, source, self.fit(learner, source, given))
