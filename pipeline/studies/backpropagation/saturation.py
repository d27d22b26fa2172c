"""Where do the units of a deep network saturate, and what error reaches its layers, by start?

Layers of one size, MNIST, cross-entropy, plain gradient descent. ``layer`` counts hidden layers
from below. Rows of step 0 are of the first batch, by weights that have not moved; others are means
over the looks since the row before.
"""

import copy
import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import PositiveFloat, PositiveInt

from lightning_modules.networks import NETWORKS, _starts
from lightning_modules.probes.activations import Activations
from lightning_modules.probes.error_flow import ErrorFlow
from lightning_modules.training.backprop import BackpropLearner
from lightning_modules.training.fit import fit
from pipeline.studies.backpropagation.layers import BY, expects, table
from pipeline.study import Figure, Row, Rows, Section, Study, Table, Trial, named
from pipeline.tasks import TASKS

LABELS = {"saturated": "share saturated", "log10_error": "log10 ‖∂L/∂h‖"}


class Params(Section):
    """Every activation from every start."""

    network: Annotated[str, named(NETWORKS)]
    task: Annotated[str, named(TASKS)]
    dataset: Literal["mnist"]
    activations: list[Literal["logistic", "tanh", "softsign"]]
    starts: list[Annotated[str, named(_starts.STARTS)]]
    depth: PositiveInt
    """Hidden layers."""
    hidden_size: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    steps: PositiveInt
    evaluations: PositiveInt
    every: PositiveInt
    """Updates from one look of the probes to the next."""
    train_size: PositiveInt
    held_out_size: PositiveInt
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every network under every seed."""
    shared = p.model_dump(exclude={"activations", "starts", "seeds"})
    for activation, start, seed in itertools.product(p.activations, p.starts, range(p.seeds)):
        yield {**shared, "activation": activation, "start": start, "seed": seed}


def measure(
    network: str,
    task: str,
    dataset: str,
    activation: str,
    start: str,
    depth: int,
    hidden_size: int,
    batch_size: int,
    learning_rate: float,
    steps: int,
    evaluations: int,
    every: int,
    train_size: int,
    held_out_size: int,
    seed: int,
    data: Mapping[str, Any],
    scratch: Path,
) -> Rows:
    """Train one network; rows of its layers and of its evaluations."""
    torch.manual_seed(seed)
    source = TASKS[task](
        data[dataset],
        seed=seed,
        batch_size=batch_size,
        held_out_size=held_out_size,
        train_size=train_size,
    )
    hidden = [hidden_size] * depth
    layers = NETWORKS[network](source.input_size, source.output_size, hidden, activation)
    _starts.start(layers, start)
    run: dict[str, Any] = {"seed": seed, "scratch": scratch}

    def trained(these: Any, steps: int, apart: int, looks: int) -> list[dict[str, Any]]:
        learner = BackpropLearner(these, source.loss, "sgd", learning_rate)
        probes = [Activations(looks), ErrorFlow(looks)]
        return fit(learner, source, steps=steps, evaluate_every=apart, probes=probes, **run)

    first = trained(copy.deepcopy(layers), 1, 1, 1)
    yield from _layers([{**row, "step": 0} for row in first], activation)
    rows = trained(layers, steps, max(1, steps // evaluations), every)
    yield from _layers(rows, activation)
    yield from ({"record": "curve", **row} for row in rows if "probe" not in row)


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
    for (step, layer), told in folded.items():
        yield {"record": "layer", "step": step, "layer": layer, **told}


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


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
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
            build=lambda rows: table(rows, BY),
        ),
    ),
    data=("mnist",),
)
