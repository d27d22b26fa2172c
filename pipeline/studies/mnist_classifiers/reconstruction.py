"""What is left of a digit in a code of few numbers: principal components and a deep autoencoder.

The error is that of a picture, the sum over its pixels of (x - x̂)², pixels in [0, 1], held out. The
autoencoder is trained as a whole, from the start or after its layers were trained greedily, one
pair after the other, each for ``pretraining`` batches.
"""

import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from sklearn.decomposition import PCA
from torch import Tensor, nn

from lightning_modules.networks import _starts
from lightning_modules.networks.autoencoder import Autoencoder
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit
from pipeline.measuring.classifying import DATA
from pipeline.data.sets._base import PictureSet
from pipeline.measuring.judged import spread
from pipeline.study import Check, Figure, Row, Rows, Section, Study, Table, Trial
from pipeline.tasks.images import Images as ImagesTask

PCA_ERROR, NEAR, MNIST = 13.87, 0.2, 60_000
"""Of thirty components on MNIST, and what may be between."""
RUN, WHOLE = ("method", "seed"), 0
"""What tells runs apart, and the stage at which all layers learn."""


class Params(Section):
    """The autoencoder, and how it is trained."""

    hidden: list[PositiveInt]
    """Sizes of the encoder's layers, the code's last; as many components are compared."""
    gain: PositiveFloat
    """Of the normalised start; 4 makes up for the slope of a logistic unit at rest, 1/4."""
    pretraining: list[NonNegativeInt]
    learning_rate: PositiveFloat
    anneal: bool
    """Whether the rate falls to 0 over each training, as half a cosine does."""
    batch_size: PositiveInt
    steps: PositiveInt
    evaluations: PositiveInt
    train_size: PositiveInt | None
    held_out_size: PositiveInt
    at_most: PositiveFloat
    """What is expected of the autoencoder's error."""
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """The components once, the autoencoder with each pre-training under every seed."""
    shared = p.model_dump(exclude={"pretraining", "seeds"}) | {"hidden": json.dumps(p.hidden)}
    yield {"method": "principal components", "pretraining": 0, **shared, "seed": 0}
    for pretraining, seed in itertools.product(p.pretraining, range(p.seeds)):
        name = "autoencoder, pre-trained" if pretraining else "autoencoder"
        yield {"method": name, "pretraining": pretraining, **shared, "seed": seed}


def measure(
    method: str,
    pretraining: int,
    hidden: str,
    gain: float,
    learning_rate: float,
    anneal: bool,
    batch_size: int,
    steps: int,
    evaluations: int,
    train_size: int | None,
    held_out_size: int,
    at_most: float,
    seed: int,
    data: Any,
    scratch: Path,
) -> Rows:
    """Return the error a picture, along training where there is some."""
    del at_most
    images: Images = data[DATA]
    task = ImagesTask(images, seed, batch_size, held_out_size, "picture", train_size=train_size)
    facts = {"pictures": len(images.train_y_N)}
    if method == "principal components":
        return {"step": 0, "error": _components(images, json.loads(hidden)[-1]), **facts}
    torch.manual_seed(seed)
    whole = Autoencoder(task.input_size, json.loads(hidden))
    _starts.start(whole, "normalised", gain)

    def trained(network: nn.Module, batches: int, stage: int) -> Iterator[Row]:
        learner = BackpropLearner(network, task.loss, "adam", learning_rate, anneal=anneal)
        every, of = max(1, batches // evaluations), scratch / f"stage-{stage}"
        rows = fit(learner, task, steps=batches, evaluate_every=every, seed=seed, scratch=of)
        yield from (_told(row, task.input_size) | {"stage": stage, **facts} for row in rows)

    rows = []
    if pretraining:
        for stage in range(1, len(whole.encoder) + 1):
            rows += trained(whole.stage(stage), pretraining, stage)
    return [*rows, *trained(whole, steps, WHOLE)]


def _told(row: dict[str, Any], pixels: int) -> dict[str, Any]:
    """Add the error a picture to an evaluation, whose loss is the mean over pixels."""
    loss = row["held_out_loss"]
    return {**row, "error": None if loss is None else pixels * loss}


def _components(images: Images, count: int) -> float:
    """Return what ``count`` principal components of the training part leave of the test part."""
    train_NI, test_NI = (_flat(x) for x in (images.train_x_NHW, images.test_x_NHW))
    of = PCA(count, svd_solver="covariance_eigh").fit(train_NI)
    left_NI = test_NI - of.inverse_transform(of.transform(test_NI))
    return float((left_NI**2).sum(axis=1).mean())


def _flat(x_NHW: Tensor) -> Any:
    return (x_NHW.flatten(1).double() / 255).numpy()


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how each run of the whole network ended, and the components.

    One that diverged has an infinite error.
    """
    whole = rows[rows["stage"].fillna(WHOLE) == WHOLE]
    last = whole[whole["step"] == whole.groupby(list(RUN))["step"].transform("max")]
    return last.assign(error=pd.to_numeric(last["error"]).fillna(math.inf))


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the components to the published figure, and the autoencoder to them."""
    mean = ends(rows).groupby("method", sort=False)["error"].mean()
    components, most = mean.pop("principal components"), float(rows["at_most"].iloc[0])
    if (rows["pictures"] == MNIST).all() and json.loads(rows["hidden"].iloc[0])[-1] == 30:
        claim = f"30 principal components leave {PCA_ERROR} ± {NEAR} a picture"
        holds = abs(components - PCA_ERROR) <= NEAR
        yield Check(claim, bool(holds), f"{components:.2f}")
    for method, error in mean.items():
        claim = f"{method}: less than {most:g} a picture"
        yield Check(claim, bool(error < most), f"{error:.2f} (components: {components:.2f})")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each method's error."""
    by = ends(rows).groupby("method", sort=False)
    return pd.DataFrame({"method": of, "error a picture": spread(runs["error"])} for of, runs in by)


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    data=(DATA,),
    figures=(
        Table(
            name="error",
            title="Squared error a picture",
            caption="Held out, at the end; mean ± standard deviation over seeds.",
            build=_table,
        ),
        Figure(
            name="error-along",
            title="The autoencoder's error while it learns as a whole",
            caption="Squared error a picture, held out, mean and range over seeds.",
            x="step",
            y="error",
            where={"stage": WHOLE},
            hue="method",
            log_y=True,
            labels={"step": "batches", "error": "error a picture"},
        ),
    ),
)
