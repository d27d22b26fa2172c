"""Does what a layer sees of a picture move with the picture?

A digit is moved by as many pixels as filters are apart, so that what a filter saw its neighbour
should see now. ``off`` is the largest distance between what is seen of the moved picture and what
was seen, moved, over the largest of both, in float64, before training. The dense layer's units
stand in the same places as the filters; digits are so far from the edges that nothing is lost.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from lightning_modules.networks import NETWORKS
from lightning_modules.networks._pictures import positions
from pipeline.measuring.classifying import DATA
from pipeline.study import Check, Rows, Section, Study, Table, Trial

FORMS = {"shared": "convolutional", "local": "locally_connected", "dense": "mlp"}
EXACT, FAR = 1e-12, 0.01


class Params(Section):
    """Filters and how many digits they see."""

    maps: PositiveInt
    size: PositiveInt
    stride: PositiveInt
    pictures: PositiveInt
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every form under every seed."""
    shared = p.model_dump(exclude={"seeds"})
    for (form, network), seed in itertools.product(FORMS.items(), range(p.seeds)):
        yield {"form": form, "network": network, **shared, "seed": seed}


@torch.no_grad()
def measure(
    form: str,
    network: str,
    maps: int,
    size: int,
    stride: int,
    pictures: int,
    seed: int,
    data: Any,
) -> Rows:
    """Return how far one layer is from moving with the picture."""
    del form
    torch.manual_seed(seed)
    x_NYX = nn.functional.pad(data[DATA].test_x_NHW[:pictures].double() / 255, [size] * 4)
    shape = 1, x_NYX.shape[1], x_NYX.shape[2]
    places = positions(shape, size, stride)
    if network == "mlp":
        units = maps * math.prod(places)
        layer = next(NETWORKS[network](math.prod(shape), 1, [units]).children())
    else:
        layer = NETWORKS[network](shape, 1, maps=maps, size=size, stride=stride).filters
    layer = layer.double()

    def seen(moved_NYX: Tensor) -> Tensor:
        of = moved_NYX.flatten(1) if network == "mlp" else moved_NYX.unsqueeze(1)
        return layer(of).reshape(len(of), maps, *places)

    before, after = seen(x_NYX), seen(x_NYX.roll(stride, -1))
    off = (after[..., 1:] - before[..., :-1]).abs().max() / torch.stack([after, before]).abs().max()
    return {"off": float(off)}


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Hold the shared form to exactness, the others to its absence."""
    worst, least = (rows.groupby("form")["off"].agg(of) for of in ("max", "min"))
    off = worst["shared"]
    yield Check(
        f"what shared filters see moves with the picture ({EXACT:g})", off <= EXACT, f"{off:.0e}"
    )
    for form in ("local", "dense"):
        off = least[form]
        claim = f"what {form} units see does not (off by more than {FAR:g})"
        yield Check(claim, bool(off > FAR), f"{off:.2f}")


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    data=(DATA,),
    figures=(
        Table(
            name="equivariance",
            title="How far from moving with the picture",
            caption="The largest distance over the largest value, the worst of all seeds.",
            build=lambda rows: rows.groupby("form", sort=False)["off"].max().reset_index(),
        ),
    ),
)
