"""Where do the units of a deep network saturate, and what error reaches its layers, by start?

Layers of one size, MNIST, cross-entropy, plain gradient descent. ``layer`` counts hidden layers
from below. Rows of step 0 are of the first batch, by weights that have not moved; others are means
over the looks since the row before.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd

from lightning_modules.networks import NETWORKS
from pipeline.measuring import statistics
from pipeline.measuring.evidence import every, ordered, within
from pipeline.measuring.training import DataSet, Training
from pipeline.studies.backpropagation.starts import Start
from pipeline.study import (
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
    from torch import nn

USUAL, NORMALISED = "fan_in", "normalised"
BY = "activation", "start"
KEPT = {
    ("tanh", USUAL): (0.45, 0.65, "usual start, tanh: some 1/√3 of the error a layer (.45 to .65)"),
    ("tanh", NORMALISED): (0.8, 1.2, "normalised start, tanh: a layer keeps the error (.8 to 1.2)"),
    ("logistic", USUAL): (0.0, 0.25, "usual start, logistic: less than 1/4 of the error a layer"),
}
"""What a layer leaves of the error at the start: least, most, and the claim."""
SOURCE = "Glorot & Bengio (2010), the variance of what is propagated back, layer by layer"
PUBLISHED = {
    ("tanh", USUAL): Published("glorot-usual", SOURCE, "1/√3 = .58 of its length", ".45 to .65"),
    ("tanh", NORMALISED): Published("glorot-normalised", SOURCE, "its length", ".8 to 1.2"),
}
"""What the paper derives that a layer leaves of error."""
SHARE, LESS = 0.01, 0.05
"""The least shares of saturated units, and of a loss, by which networks differ that do."""
LABELS = {"saturated": "share saturated", "log10_error": "log10 ‖∂L/∂h‖"}


class Saturation(Training):
    """A deep network, from one start."""

    # A trial is frozen, so that a field may be narrowed.
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    network: Annotated[str, named(NETWORKS)]
    activation: Literal["logistic", "tanh", "softsign"]
    start: Start
    depth: Count
    """Hidden layers."""
    hidden_size: Count
    train_size: Count

    def measure(self, given: Given) -> Rows:
        """Train one network; rows of its layers and of its evaluations."""
        import torch

        from lightning_modules.networks import _starts

        torch.manual_seed(self.seed)
        sizes = {"batch_size": self.batch_size, "held_out_size": self.held_out_size}
        (digits,) = self.read(given)
        source = TASKS[self.task](digits, seed=self.seed, train_size=self.train_size, **sizes)
        hidden = [self.hidden_size] * self.depth
        of = source.input_size, source.output_size, hidden, self.activation
        layers = NETWORKS[self.network](*of)
        _starts.start(layers, self.start)
        at_once = {name: {"every": 1} for name in self.probes or {}}
        first = self.model_copy(update={"steps": 1, "probes": at_once})
        before = first._train(copy.deepcopy(layers), source, given)
        yield from _layers([{**row, "step": 0} for row in before], self.activation)
        rows = self._train(layers, source, given)
        yield from _layers(rows, self.activation)
        yield from ({"record": "curve", **row} for row in rows if "probe" not in row)

    def _train(self, layers: "nn.Module", source: Any, given: Given) -> list[dict[str, Any]]:
        """Train the layers, and return evaluations and what the probes saw."""
        from lightning_modules.training.backprop import BackpropLearner

        of: dict[str, Any] = {"learning_rate": self.learning_rate, "clip": self.clipped()}
        return self.fit(BackpropLearner(layers, source.loss, self.optimizer, **of), source, given)


def _layers(rows: list[dict[str, Any]], activation: str) -> Iterator[Row]:
    """Fold what was told of each hidden layer at a step into one row."""
    folded: dict[tuple[int, int], Row] = {}
    for row in rows:
        module = str(row.get("module", ""))
        if not module.startswith(activation):
            continue
        layer, value = int(module.removeprefix(activation)), row["value"]
        into = folded.setdefault((row["step"], layer), {})
        if row["probe"] == "error_flow":
            into["log10_error"] = math.log10(value) if value else None
        else:
            into[row["quantity"]] = value
    for (step, layer), seen in folded.items():
        yield {"record": "layer", "step": step, "layer": layer, **seen}


def kept(rows: pd.DataFrame, by: Sequence[str] = BY) -> pd.Series:
    """Return what a layer leaves of the error's norm in the first batch, geometric mean."""
    first = rows[(rows["record"] == "layer") & (rows["step"] == 0)]
    mean: Any = first.groupby([*by, "layer"])["log10_error"].mean().unstack()
    return 10 ** ((mean.iloc[:, 0] - mean.iloc[:, -1]) / (mean.shape[1] - 1))


def last_means(rows: pd.DataFrame, by: Sequence[str] = BY) -> pd.DataFrame:
    """Return held-out loss and share of wrong answers at the end, means over seeds."""
    curve = rows[rows["record"] == "curve"]
    last = statistics.last_evaluations(curve, (*by, "seed"))
    last = last.assign(error=1 - last["held_out_accuracy"].fillna(0.0).astype(float))
    return last.groupby(list(by), sort=False)[["held_out_loss", "error"]].mean()


def along(rows: pd.DataFrame, quantity: str, by: Sequence[str] = BY) -> pd.DataFrame:
    """Return a quantity of each layer in training, by step, means over seeds."""
    layers = rows[(rows["record"] == "layer") & (rows["step"] > 0)]
    return layers.groupby([*by, "step", "layer"])[quantity].mean().unstack()


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the layers to Glorot and Bengio's findings."""
    left = kept(rows, (*BY, "seed"))
    for network, (least, most, claim) in KEPT.items():
        if network in {(activation, start) for activation, start, _ in left.index}:
            found = within(claim, left.loc[network], least, most, expected=9)
            published = PUBLISHED.get(network)
            yield found.stands_for(published) if published else found
    yield from _of_the_highest(rows)
    yield from _ends(rows)


def _of_the_highest(rows: pd.DataFrame) -> Iterator[Claim]:
    """Claim what becomes of logistic networks' highest hidden layer, and softsign's saturation."""
    means, shares = (_by_seed(along(rows, of, (*BY, "seed"))) for of in ("mean", "saturated"))
    if ("logistic", USUAL) in means:
        low = means["logistic", USUAL].groupby("seed").min()
        claim = "usual start, logistic: in training, the highest hidden layer is pushed down most"
        yield ordered(claim, low.iloc[:, -1], low.iloc[:, :-1].min(axis=1), expected=10)
        peak = shares["logistic", USUAL].groupby("seed").max()
        claim = "usual start, logistic: in training, the highest hidden layer saturates most"
        others = peak.iloc[:, :-1].max(axis=1)
        yield ordered(claim, others, peak.iloc[:, -1], by=SHARE, expected=11).if_missed(
            "No unit of any layer came near enough to an end to count: the networks stayed at the "
            "loss of chance, and the highest layer was pushed down without saturating."
        )
    if {("tanh", USUAL), ("softsign", USUAL)} <= shares.keys():
        soft, tanh = (
            shares[name, USUAL].groupby("seed").last().mean(axis=1) for name in ("softsign", "tanh")
        )
        claim = "usual start: softsign saturates less than tanh"
        yield ordered(claim, soft, tanh, by=SHARE, expected=13)


def _ends(rows: pd.DataFrame) -> Iterator[Claim]:
    """Claim which networks end worse."""
    loss = last_losses(rows)
    for start in (USUAL, NORMALISED):
        own = loss.get(("logistic", start))
        others = {name: of for (name, at), of in loss.items() if at == start and name != "logistic"}
        if own is not None and others:
            yield every(
                f"{start}: logistic units end worst",
                (ordered(f"{name} below", of, own, expected=12) for name, of in others.items()),
            )
    if {("tanh", USUAL), ("tanh", NORMALISED)} <= loss.keys():
        usual, normalised = loss["tanh", USUAL], loss["tanh", NORMALISED]
        claim = f"tanh ends better from the normalised start than from the usual one, by {LESS:.0%}"
        yield ordered(claim, normalised, usual, by=LESS, ratio=True, expected=14)


def _by_seed(values: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Return values of each network by seed and step."""
    return {
        (str(activation), str(start)): of.droplevel([*BY])
        for (activation, start), of in values.groupby([*BY])
    }


def last_losses(rows: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Return the held-out loss at the end, by seed, of each network."""
    last = statistics.last_evaluations(rows[rows["record"] == "curve"], (*BY, "seed"))
    by = last.set_index("seed").groupby([*BY], sort=False)["held_out_loss"]
    return {(str(activation), str(start)): of for (activation, start), of in by}


def _table(rows: pd.DataFrame, by: Sequence[str] = BY) -> pd.DataFrame:
    """Return for each network what a layer keeps, its ends, and its saturation by layer."""
    last = along(rows, "saturated", by).groupby(list(by)).last()
    shares = last.apply(_in_words, axis=1)
    columns = {"kept a layer": kept(rows, by).round(3), "saturated, from below": shares}
    return last_means(rows, by).round(4).join(pd.DataFrame(columns)).reset_index()


def _in_words(shares: pd.Series) -> str:
    return ", ".join(f"{share:.2f}" for share in shares)


def _of_layers(y: str, title: str, caption: str) -> Figure:
    """Return the picture of a quantity along training, by layer."""
    return Figure(
        name=f"layers-{y.replace('_', '-')}",
        title=title,
        caption=f"{caption} Mean and range over seeds; layer 1 is the lowest.",
        where={"record": "layer"},
        x="step",
        y=y,
        hue="layer",
        column="activation",
        row="start",
        labels=LABELS,
    )


PART = Part(
    __doc__,
    Saturation,
    expects,
    figures=(
        _of_layers(
            "saturated",
            "Saturation of five hidden layers",
            "Outputs nearer to an end than a fortieth of the way between both.",
        ),
        _of_layers("log10_error", "Error that comes back to them", "Of the mean loss of a batch."),
        _of_layers("mean", "Their mean output", "Logistic units rest at 1/2."),
        Figure(
            name="saturation-curves",
            title="Five hidden layers on MNIST",
            caption="Held-out cross-entropy, mean and range over seeds.",
            where={"record": "curve"},
            x="step",
            y="held_out_loss",
            hue="activation",
            column="start",
            log_y=True,
            labels={"step": "updates", "held_out_loss": "cross-entropy"},
        ),
        Table(
            name="saturation-ends",
            title="What a layer keeps of error, and how the runs ended",
            caption="Kept: geometric mean over layers, of the first batch, on the way down; "
            "saturated: the share in each layer, from below, over the last looks.",
            build=_table,
        ),
    ),
)
