"""Pictures' classes learned by any network or cell: what studies of classifiers share.

A section describes a classifier; a trial is flat, so there its options are one text, as JSON.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells import CELLS
from lightning_modules.interfaces import Task
from lightning_modules.networks import NETWORKS
from lightning_modules.networks._pictures import PictureNetwork
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import Learner, Score
from lightning_modules.training.sequence import SequenceLearner
from pipeline import probing
from pipeline.datasets._base import Images
from pipeline.study import Section, Trial, named
from pipeline.tasks import TASKS
from pipeline.tasks.images import Images as Whole

DATA = "mnist"


class Classifier(Section):
    """What sees pictures whole (task ``images``) or reads their rows (``row_images``)."""

    network: Annotated[str, named(NETWORKS)] | None = None
    cell: Annotated[str, named(CELLS)] | None = None
    """Either a network, or a cell under a linear readout, trained by BPTT."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What it is built with beside the sizes of input and output."""
    task: Literal["images", "row_images"]
    size: PositiveInt | None = None
    """Rows and columns that pictures seen whole are drawn to; None leaves them as they are."""
    optimizer: Literal["adam", "sgd"]
    learning_rate: PositiveFloat
    anneal: bool = False
    """Whether a network's rate falls to 0 over the run, as half a cosine does."""
    clip: PositiveFloat | None = None
    """The most that the gradient's norm may be."""
    batch_size: PositiveInt
    steps: PositiveInt
    """Batches."""

    @model_validator(mode="after")
    def _one(self) -> "Classifier":
        if (self.network is None) == (self.cell is None):
            raise ValueError("give one of network and cell")
        if self.anneal and self.cell is not None:
            raise ValueError("anneal is of networks: a cell's rate is constant")
        return self

    def flat(self) -> Trial:
        """Return the entries of a trial."""
        return {**self.model_dump(), "options": json.dumps(self.options, sort_keys=True)}


class Learned(NamedTuple):
    """A classifier that was trained, on what, and the rows of its training."""

    learner: Learner
    source: Task
    rows: list[dict[str, Any]]

    @property
    def shape_CYX(self) -> tuple[int, int, int]:  # noqa: N802
        """What the pictures' shape is, where they are seen whole."""
        assert isinstance(self.source, Whole)
        return self.source.shape_CYX


def learn(
    images: Images,
    *,
    network: str | None,
    cell: str | None,
    options: str,
    task: str,
    size: int | None,
    optimizer: str,
    learning_rate: float,
    anneal: bool,
    clip: float | None,
    batch_size: int,
    steps: int,
    evaluations: int,
    train_size: int | None,
    held_out_size: int,
    seed: int,
    scratch: Path,
    **probes: Any,
) -> Learned:
    """Train a classifier; evaluations are rows with ``wrong``, in percent, and record "curve"."""
    sizes: dict[str, Any] = {"train_size": train_size, "held_out_size": held_out_size}
    shown = {"size": size} if task == "images" else {"labels": "last"}
    source = TASKS[task](images, seed, batch_size, **sizes, **shown)
    torch.manual_seed(seed)
    of: dict[str, Any] = {"optimizer": optimizer, "learning_rate": learning_rate}
    of["clip"] = None if clip is None else Clip("norm", clip)
    if anneal:
        of["anneal"] = anneal
    learner = _built(source, network, cell, json.loads(options), of)
    rows = fit(
        learner,
        source,
        steps=steps,
        evaluate_every=max(1, steps // evaluations),
        seed=seed,
        scratch=scratch,
        probes=probing.build(probes),
    )
    facts = {
        "parameters": sum(weights.numel() for weights in learner.parameters()),
        "pictures": len(images.train_y_N),
    }
    return Learned(learner, source, [_told(row) | facts for row in rows])


def wrong(score: Score) -> float | None:
    """Return how many of a hundred pictures a score gets wrong."""
    return None if score.accuracy is None else 100 * (1 - score.accuracy)


def _built(
    source: Task, network: str | None, cell: str | None, options: dict[str, Any], of: dict[str, Any]
) -> Learner:
    """Return the learner of a network or of a cell."""
    if cell is not None:
        built = CELLS[cell](source.input_size, **options)
        return SequenceLearner(built, source.output_size, source.loss, BPTT(), None, **of)
    assert network is not None
    kind: Any = NETWORKS[network]
    seen = source.shape_CYX if isinstance(source, Whole) and _sees(kind) else source.input_size
    return BackpropLearner(kind(seen, source.output_size, **options), source.loss, **of)


def _sees(kind: type) -> bool:
    """Tell whether a network takes what it is shown for pictures."""
    return issubclass(kind, PictureNetwork)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Say which record a row is of; of an evaluation, how many of a hundred pictures are wrong."""
    if "probe" in row:
        return {**row, "record": "probe"}
    score = Score(row["held_out_loss"], row["held_out_accuracy"])
    return {**row, "record": "curve", "wrong": wrong(score)}
