"""Where do the units of a deep network saturate, and what error reaches its layers, by start?

Layers of one size, MNIST, cross-entropy, plain gradient descent. ``layer`` counts hidden layers
from below. Rows of step 0 are of the first batch, by weights that have not moved; others are means
over the looks since the row before.
"""

import copy
import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import PositiveInt

from lightning_modules.networks import NETWORKS
from pipeline.measuring import statistics
from pipeline.measuring.training import DataSet, Training
from pipeline.studies.backpropagation.starts import Start
from pipeline.study import Check, Entries, Figure, Given, Part, Row, Rows, Table, named
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
LABELS = {"saturated": "share saturated", "log10_error": "log10 ‖∂L/∂h‖"}


class Saturation(Training):
    """A deep network, from one start."""

    # A trial is frozen, so that a field may be narrowed.
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    network: Annotated[str, named(NETWORKS)]
    activation: Literal["logistic", "tanh", "softsign"]
    start: Start
    depth: PositiveInt
    """Hidden layers."""
    hidden_size: PositiveInt
    train_size: PositiveInt

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


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the layers to Glorot and Bengio's findings."""
    left, loss = kept(rows), last_means(rows)["held_out_loss"]
    for network, (least, most, claim) in KEPT.items():
        if network in left.index:
            yield Check(claim, bool(least <= left[network] <= most), f"{left[network]:.3f}")
    shares: Any = along(rows, "saturated")
    means: Any = along(rows, "mean")
    there = set(loss.index)
    if ("logistic", USUAL) in there:
        low = means.loc[("logistic", USUAL)].min()
        claim = "usual start, logistic: in training, the highest hidden layer is pushed down most"
        words = f"least mean output, from below {_in_words(low)}"
        yield Check(claim, bool(low.iloc[-1] < low.iloc[:-1].min()), words)
        peak = shares.loc[("logistic", USUAL)].max()
        claim = "usual start, logistic: in training, the highest hidden layer saturates most"
        words = f"greatest share, from below {_in_words(peak)}"
        yield Check(claim, bool(peak.iloc[-1] > peak.iloc[:-1].max()), words)
    starts = [start for start in (USUAL, NORMALISED) if ("logistic", start) in there]
    for start in starts:
        others = loss.xs(start, level="start").drop("logistic")
        if len(others):
            own = loss["logistic", start]
            claim = f"{start}: logistic units end worst"
            yield Check(claim, bool(own > others.max()), f"{own:.3f} against {others.max():.3f}")
    if {("tanh", USUAL), ("softsign", USUAL)} <= there:
        soft, tanh = (shares.loc[(name, USUAL)].iloc[-1].mean() for name in ("softsign", "tanh"))
        claim = "usual start: softsign saturates less than tanh"
        yield Check(claim, bool(soft < tanh), f"{soft:.3f} against {tanh:.3f}")
    if {("tanh", USUAL), ("tanh", NORMALISED)} <= there:
        usual, normalised = loss["tanh", USUAL], loss["tanh", NORMALISED]
        claim = "tanh ends better from the normalised start than from the usual one"
        yield Check(claim, bool(normalised < usual), f"{normalised:.4f} against {usual:.4f}")


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


def _formerly(entries: Entries) -> Entries:
    """Return the trial as it is described now: with its optimizer and its probes."""
    every = {"every": entries["every"]}
    probes = json.dumps({"activations": every, "error_flow": every}, sort_keys=True)
    now = {name: value for name, value in entries.items() if name != "every"}
    return now | {"optimizer": "sgd", "probes": probes}


PART = Part(
    __doc__,
    Saturation,
    expects,
    formerly=_formerly,
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
