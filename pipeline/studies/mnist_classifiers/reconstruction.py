"""What is left of a digit in a code of few numbers: principal components and a deep autoencoder.

The error is that of a picture, the sum over its pixels of (x - x̂)², pixels in [0, 1], of the
test part, looked at once, at the end. The autoencoder is trained as a whole, from a start at random
or from a stack of RBMs that learned greedily, one after the other, each from ``pretraining``
batches by CD-1, the topmost with real hidden units, as the code's are.
"""

import dataclasses
import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import PositiveFloat, model_validator

from pipeline.measuring.evidence import below, exact
from pipeline.measuring.statistics import with_interval
from pipeline.measuring.training import DataSet, Training, tested
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Published,
    Row,
    Rows,
    Table,
    named,
)
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.networks.autoencoder import Autoencoder
    from pipeline.data.sets._base import PictureSet

PCA_ERROR, NEAR, MNIST = 13.87, 0.2, 60_000
"""Of thirty components on MNIST, and what may be between."""
SPREAD = 0.1
"""The standard deviation of the RBMs' weights at the start: smaller ones leave it late."""
WHOLE = 0
"""The stage at which all layers learn."""
COMPONENTS, PRETRAINED = "principal components", "autoencoder, pre-trained"
METHODS = COMPONENTS, "autoencoder", PRETRAINED


class Reconstruction(Training):
    """An autoencoder and how it is trained, or as many components as its code has units."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["images"]  # pyright: ignore[reportIncompatibleVariableOverride]
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    method: Annotated[str, named(METHODS)]
    pretraining: Count | None = None
    pretraining_rate: PositiveFloat | None = None
    """Of Adam at its start for each RBM; it falls to 0."""
    hidden: Annotated[list[Count], *AS_TEXT]
    """Sizes of the encoder's layers, the code's last."""
    gain: PositiveFloat
    """Of the normalised start; 4 makes up for the slope of a logistic unit at rest, 1/4."""
    anneal: bool
    """Whether the rate falls to 0 over each training, as half a cosine does."""
    train_size: Count | None = None
    """Pictures that are learned from; None is all."""
    at_most: PositiveFloat
    """What is expected of the autoencoder's error."""

    @model_validator(mode="after")
    def _pretrained(self) -> "Reconstruction":
        if any(
            (value is None) == (self.method == PRETRAINED)
            for value in (self.pretraining, self.pretraining_rate)
        ):
            raise ValueError(
                f"pretraining and its rate go with the method {PRETRAINED!r}, and with no other"
            )
        return self

    def measure(self, given: Given) -> Rows:
        """Return the error a picture, along training where there is some."""
        import torch

        from lightning_modules.networks import _starts
        from lightning_modules.networks.autoencoder import Autoencoder

        (images,) = self.read(given)
        facts = {"pictures": len(images.train_y_N)}
        if self.method == COMPONENTS:
            error = _components(images, self.hidden[-1])
            return {"record": "test", "step": 0, "error": error, **facts}
        sizes = self.batch_size, self.held_out_size
        task = TASKS[self.task](images, self.seed, *sizes, "picture", train_size=self.train_size)
        torch.manual_seed(self.seed)
        whole = Autoencoder(task.input_size, self.hidden)
        _starts.start(whole, "normalised", self.gain)
        rows = []
        if self.pretraining and self.pretraining_rate:
            rows += self._stacked(whole, task, given, self.pretraining, self.pretraining_rate)
        rows += self._train(whole, task, given)
        return [row | facts for row in rows]

    def _stacked(
        self, whole: "Autoencoder", task: Any, given: Given, steps: int, rate: float
    ) -> list[Row]:
        """Start the autoencoder from a stack of RBMs; return how each reconstructs what it sees."""
        from lightning_modules.energies.estimators.contrastive_divergence import (
            ContrastiveDivergence,
        )
        from lightning_modules.energies.linear_rbm import LinearRBM
        from lightning_modules.energies.rbm import RBM
        from lightning_modules.training.greedy import greedy
        from lightning_modules.training.stacks import into_autoencoder

        sizes, last = list(pairwise([task.input_size, *self.hidden])), len(self.hidden) - 1
        rbms = [
            (LinearRBM if place == last else RBM)(*size, ContrastiveDivergence(), spread=SPREAD)
            for place, size in enumerate(sizes)
        ]
        rates = [rate] * len(rbms)
        own: dict[str, Any] = {"seed": self.seed, "scratch": given.scratch / "greedy"}
        rows = greedy(rbms, task, steps=steps, optimizer="adam", rates=rates, **own)
        into_autoencoder(rbms, whole)
        pixels = [size for size, _ in sizes]
        return [
            _with_error(row, pixels[row["layer"] - 1]) | {"stage": row["layer"]} for row in rows
        ]

    def _train(self, network: "Autoencoder", task: Any, given: Given) -> list[Row]:
        """Train all layers and return the evaluations, that of the test part last."""
        from lightning_modules.training.backprop import BackpropLearner

        of: dict[str, Any] = {"learning_rate": self.learning_rate, "clip": self.clipped()}
        learner = BackpropLearner(network, task.loss, self.optimizer, anneal=self.anneal, **of)
        own = given._replace(scratch=given.scratch / f"stage-{WHOLE}")
        rows = self.fit(learner, task, own)
        rows.append(tested(learner, task, rows))
        return [_with_error(row, task.input_size) | {"stage": WHOLE} for row in rows]


def _with_error(row: dict[str, Any], pixels: int) -> dict[str, Any]:
    """Add the error a picture to an evaluation, whose loss is the mean over pixels."""
    loss = row["held_out_loss"]
    return {"record": "curve", **row, "error": None if loss is None else pixels * loss}


def _components(images: "PictureSet", count: int) -> float:
    """Return what ``count`` principal components of the training part leave of the test part."""
    from sklearn.decomposition import PCA

    train_NI, test_NI = (_flat(x) for x in (images.train_x_NHW, images.test_x_NHW))
    of = PCA(count, svd_solver="covariance_eigh").fit(train_NI)
    left_NI = test_NI - of.inverse_transform(of.transform(test_NI))
    return float((left_NI**2).sum(axis=1).mean())


def _flat(x_NHW: "Tensor") -> Any:
    return (x_NHW.flatten(1).double() / 255).numpy()


def last_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each run of the whole network, and the components, did on the test part.

    One that diverged has an infinite error.
    """
    last = rows[rows["record"] == "test"]
    return last.assign(error=pd.to_numeric(last["error"]).fillna(math.inf))


def errors_by_method(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what each method leaves of a picture at the end, by seed."""
    last = last_errors(rows).set_index("seed")
    return {str(name): runs["error"] for name, runs in last.groupby("method", sort=False)}


def code_size(rows: pd.DataFrame) -> int:
    """Return how many numbers the code has."""
    return json.loads(rows["hidden"].iloc[0])[-1]


_PAPER = "Hinton & Salakhutdinov (2006), MNIST, 30 code units"
PCA = Published(row="pca-30", source=_PAPER, value=f"{PCA_ERROR} a picture", tolerance=f"± {NEAR}")
DEEP = Published(
    row="autoencoder-30",
    source=_PAPER,
    value="3.00 a picture, pre-trained as restricted Boltzmann machines and fine-tuned for longer",
    tolerance="less than 5 a picture",
)
BRIEF = (
    "its RBMs learned for far fewer than the paper's 50 epochs each and the whole for fewer than "
    "its 200: the stack is ahead at first only, of a random start with the right gain"
)
"""The likely cause of a pre-trained one that stays behind."""


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the components to the published figure, of which chance has no part, and the others."""
    left, most = errors_by_method(rows), rows.groupby("method")["at_most"].first()
    components = left.pop(COMPONENTS, None)
    published = bool((rows["pictures"] == MNIST).all()) and code_size(rows) == 30
    if components is not None and published:
        claim = f"30 principal components leave {PCA_ERROR} ± {NEAR} a picture"
        off = (components - PCA_ERROR).abs().max()
        found = exact(claim, off, NEAR, expected=2).stands_for(PCA)
        yield dataclasses.replace(found, seen=f"{components.mean():.3f}", wanted=f"± {NEAR}")
    for method, error in left.items():
        claim = f"{method}: less than {most[method]:g} a picture"
        found = below(claim, error, most[method], expected=3)
        found = found.if_missed(BRIEF) if method == PRETRAINED else found
        yield found.stands_for(DEEP) if method == PRETRAINED and published else found


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each method's error."""
    by = last_errors(rows).groupby("method", sort=False)
    return pd.DataFrame(
        {"method": method, "error a picture": with_interval(runs["error"], 2)}
        for method, runs in by
    )


PART = Part(
    __doc__,
    Reconstruction,
    expects,
    figures=(
        Table(
            name="error",
            title="Squared error a picture",
            caption="On the test part, at the end; mean ± 95 % interval over seeds.",
            build=_table,
        ),
        Figure(
            name="error-along",
            title="The autoencoder's error while it learns as a whole",
            caption="Squared error a picture, held out, mean and range over seeds.",
            x="step",
            y="error",
            where={"record": "curve", "stage": WHOLE},
            hue="method",
            log_y=True,
            labels={"step": "batches", "error": "error a picture"},
        ),
    ),
)
