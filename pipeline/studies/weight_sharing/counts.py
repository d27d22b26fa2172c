"""How many parameters and connections do shared, local and dense layers have?"""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import torch
from torch import nn

from lightning_modules.networks import NETWORKS
from lightning_modules.networks._connections import connections
from pipeline.study import Check, Rows, Section, Study, Table, Trial

BUILD: dict[str, tuple[str, Callable[[Any], nn.Module], int]] = {
    "LeNet-5": ("lenet5", lambda kind: kind(), 784),
    "AlexNet": ("alexnet", lambda kind: kind(), 3 * 224 * 224),
    "AlexNet, one group": ("alexnet", lambda kind: kind(groups=1), 3 * 224 * 224),
    "shared filters": ("convolutional", lambda kind: kind((1, 28, 28), 10), 784),
    "local filters": ("locally_connected", lambda kind: kind((1, 28, 28), 10), 784),
    "TDNN": ("tdnn", lambda kind: kind(28, 10, [16], [5]), 28),
    "large, dense": ("layer", lambda kind: nn.Linear(10**6, 10**6, bias=False), 10**6),
    "large, shared": ("layer", lambda kind: nn.Conv2d(1, 100, 10, bias=False), 10**6),
}
"""What is counted: the network's name, how it is built, and the size of its input."""
PAPERS = {"LeNet-5": 60_000, "AlexNet": 60_965_224, "AlexNet, one group": 62_378_344}
LENET5_CONNECTIONS = 340_908


class Params(Section):
    """Nothing to choose: counts are exact."""


def trials(p: Params) -> Iterator[Trial]:
    """Every network."""
    del p
    for counted, (network, _, _) in BUILD.items():
        yield {"counted": counted, "network": network, "seed": 0}


def measure(counted: str, network: str, seed: int) -> Rows:
    """Return each layer's parameters and connections; nothing is stored of the weights."""
    del seed  # nothing is drawn
    _, build, inputs = BUILD[counted]
    with torch.device("meta"):
        built, known = build(NETWORKS.get(network)), network in NETWORKS
        made = connections(built, torch.empty(1, 1, inputs)) if known else {}
    layers = [(name, m) for name, m in built.named_modules() if not list(m.children())]
    for name, layer in layers:
        parameters = sum(weights.numel() for weights in layer.parameters())
        if parameters or name in made:
            called = name.rpartition(".")[2] or "layer"
            yield {"module": called, "parameters": parameters, "connections": made.get(name)}


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the sums to what was published."""
    sums = rows.groupby("counted")["parameters"].sum()
    for name, published in PAPERS.items():
        seen = int(sums[name])
        yield Check(f"{name}: {published:,} parameters", seen == published, f"{seen:,}")
    lenet5 = rows[rows["counted"] == "LeNet-5"]
    seen = int(lenet5["connections"].sum())
    claim = f"LeNet-5: {LENET5_CONNECTIONS:,} connections"
    yield Check(claim, seen == LENET5_CONNECTIONS, f"{seen:,}")
    dense, shared = int(sums["large, dense"]), int(sums["large, shared"])
    claim = "a million units on 1000×1000 pixels: 10^12 weights, a hundred filters of 10×10: 10^4"
    yield Check(claim, (dense, shared) == (10**12, 10**4), f"{dense:,} and {shared:,}")
    local, filters = (_layer(rows, name, "filters") for name in ("local filters", "shared filters"))
    same = local["connections"] == filters["connections"]
    ratio = local["parameters"] / filters["parameters"]
    claim = "local filters: as many connections as shared ones, 144 times the parameters"
    yield Check(claim, bool(same and ratio == 144), f"{ratio:g} times")


def _layer(rows: pd.DataFrame, counted: str, layer: str) -> pd.Series:
    return rows[(rows["counted"] == counted) & (rows["module"] == layer)].iloc[0]


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return all layers, and under those of a network their sum."""
    lines = []
    for counted, layers in rows.groupby("counted", sort=False):
        lines += [
            {"network": counted, "layer": row["module"], **_counts(row)}
            for row in layers.to_dict("records")
        ]
        if len(layers) > 1:
            totals = {k: layers[k].sum() for k in ("parameters", "connections")}
            lines.append({"network": counted, "layer": "all", **_counts(totals)})
    return pd.DataFrame(lines)


def _counts(of: Any) -> dict[str, str]:
    return {k: "" if pd.isna(of[k]) else f"{int(of[k]):,}" for k in ("parameters", "connections")}


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    figures=(
        Table(
            name="counts",
            title="Parameters and connections, layer by layer",
            caption="A connection is one use of a weight or bias for one picture, or step.",
            build=_table,
        ),
    ),
)
