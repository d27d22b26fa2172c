"""How many parameters and connections do shared, local and dense layers have?"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import pandas as pd

from lightning_modules.networks import NETWORKS
from pipeline.measuring.evidence import identity
from pipeline.study import Claim, Given, Part, Published, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import nn


class _Build(NamedTuple):
    """How a network, or a layer of torch's, is built, and the size of its input."""

    inputs: int
    sizes: tuple[Any, ...] = ()
    groups: int | None = None
    layer: str | None = None


BUILD = {
    "LeNet-5": _Build(784),
    "AlexNet": _Build(3 * 224 * 224),
    "AlexNet, one group": _Build(3 * 224 * 224, groups=1),
    "shared filters": _Build(784, ((1, 28, 28), 10)),
    "local filters": _Build(784, ((1, 28, 28), 10)),
    "TDNN": _Build(28, (28, 10, [16], [5])),
    "large, dense": _Build(10**6, (10**6, 10**6), layer="Linear"),
    "large, shared": _Build(10**6, (1, 100, 10), layer="Conv2d"),
}
"""What can be counted; the large layers have no biases."""
PAPERS = {"LeNet-5": 60_000, "AlexNet": 60_965_224, "AlexNet, one group": 62_378_344}
LENET5_CONNECTIONS = 340_908
LENET5_LAYERS = {"C1": 156, "S2": 12, "C3": 1_516, "S4": 32, "C5": 48_120, "F6": 10_164}


class Counted(Trial):
    """A network, or, where none is named, a large layer alone; nothing is drawn."""

    counted: Annotated[str, named(BUILD)]
    network: Annotated[str, named(NETWORKS)] | None = None

    def measure(self, given: Given) -> Rows:
        """Return each layer's parameters and connections; nothing is stored of the weights."""
        import torch

        from lightning_modules.networks._connections import connections

        with torch.device("meta"):
            built, inputs = self._built(), torch.empty(1, 1, BUILD[self.counted].inputs)
            made = connections(built, inputs) if self.network else {}
        layers = [(name, m) for name, m in built.named_modules() if not list(m.children())]
        for name, layer in layers:
            parameters = sum(weights.numel() for weights in layer.parameters())
            if parameters or name in made:
                called = name.rpartition(".")[2] or "layer"
                yield {"module": called, "parameters": parameters, "connections": made.get(name)}

    def _built(self) -> "nn.Module":
        """Return what is counted."""
        from torch import nn

        of = BUILD[self.counted]
        if self.network is None:
            return getattr(nn, str(of.layer))(*of.sizes, bias=False)
        return NETWORKS[self.network](*of.sizes, **({"groups": of.groups} if of.groups else {}))


def _published(row: str, source: str, value: int, what: str) -> Published:
    return Published(row=row, source=source, value=f"{value:,} {what}", tolerance="exactly")


_LECUN = "LeCun, Bottou, Bengio & Haffner (1998), section II-B: LeNet-5"
_KRIZHEVSKY = (
    "Krizhevsky, Sutskever & Hinton (2012), figure 2, layer by layer; its text: 60 million"
)
PUBLISHED = {
    "LeNet-5": _published("lenet5-parameters", _LECUN, PAPERS["LeNet-5"], "parameters"),
    "AlexNet": _published("alexnet-parameters", _KRIZHEVSKY, PAPERS["AlexNet"], "parameters"),
}
CONNECTIONS = _published("lenet5-connections", _LECUN, LENET5_CONNECTIONS, "connections")


def _layers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{layer} {count:,}" for layer, count in counts.items())


LAYERS = Published("lenet5-layers", _LECUN, _layers(LENET5_LAYERS), "exactly")


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the sums to what was published."""
    rows = rows[rows["seed"] == rows["seed"].min()]  # nothing is drawn: all seeds count alike
    sums = rows.groupby("counted")["parameters"].sum()
    for name, known in PAPERS.items():
        if name in sums:
            seen = int(sums[name])
            claim = f"{name}: {known:,} parameters"
            found = identity(claim, seen == known, f"{seen:,}", expected=2)
            yield found.stands_for(PUBLISHED[name]) if name in PUBLISHED else found
    if "LeNet-5" in sums:
        seen = int(rows[rows["counted"] == "LeNet-5"]["connections"].sum())
        claim = f"LeNet-5: {LENET5_CONNECTIONS:,} connections"
        found = identity(claim, seen == LENET5_CONNECTIONS, f"{seen:,}", expected=2)
        yield found.stands_for(CONNECTIONS)
        layers = rows[rows["counted"] == "LeNet-5"].set_index("module")["parameters"]
        own = {layer: int(layers.get(layer, 0)) for layer in LENET5_LAYERS}
        claim = "LeNet-5, layer by layer: " + _layers(LENET5_LAYERS)
        found = identity(claim, own == LENET5_LAYERS, _layers(own), expected=2)
        yield found.stands_for(LAYERS)
    if {"large, dense", "large, shared"} <= set(sums.index):
        large = dense, shared = int(sums["large, dense"]), int(sums["large, shared"])
        claim = "a million units on 1000×1000 pixels: 10^12 weights, a hundred filters of 10×10: "
        seen = f"{dense:,} and {shared:,}"
        yield identity(f"{claim}10^4", large == (10**12, 10**4), seen, expected=1)
    if {"local filters", "shared filters"} <= set(sums.index):
        local, filters = (_layer(rows, of, "filters") for of in ("local filters", "shared filters"))
        same = local["connections"] == filters["connections"]
        ratio = local["parameters"] / filters["parameters"]
        claim = "local filters: as many connections as shared ones, 144 times the parameters"
        yield identity(claim, bool(same and ratio == 144), f"{ratio:g} times", expected=1)


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


PART = Part(
    __doc__,
    Counted,
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
