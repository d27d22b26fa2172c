"""Which pooling makes LeNet-5 right most often, and what comes back to the filters below it?

The network is LeNet-5 in today's dress with maximum or mean over windows of several sizes, of which
1 is no pooling, beside the one of 1998 with its trainable sub-sampling. ``C1`` and ``C3`` are the
layers of filters; the error that comes back to them is ‖∂L/∂h‖ of their outputs, over the batch.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import PositiveInt

from pipeline import judged
from pipeline.classifying import DATA, Classifier, learn
from pipeline.probing import Attached, flat
from pipeline.study import Check, Rows, Section, Study, Table, Trial

RUN = "pooling", "window", "seed"
FILTERS = "layers.C1", "layers.C3"
CLASSIC = "trainable"


class Params(Section):
    """Every pooling with every window, and the classical network."""

    modern: Classifier
    poolings: list[str]
    windows: list[PositiveInt]
    classic: Classifier
    evaluations: PositiveInt
    held_out_size: PositiveInt
    train_size: PositiveInt | None
    probes: Attached
    seeds: PositiveInt


def trials(p: Params) -> Iterator[Trial]:
    """Every network under every seed."""
    shared = p.model_dump(include={"evaluations", "held_out_size", "train_size"}) | flat(p.probes)
    for seed in range(p.seeds):
        for pooling, window in itertools.product(p.poolings, p.windows):
            of = json.dumps({**p.modern.options, "pooling": pooling, "window": window})
            network = p.modern.flat() | {"options": of}
            yield {"pooling": pooling, "window": window, **network, **shared, "seed": seed}
        yield {"pooling": CLASSIC, "window": 2, **p.classic.flat(), **shared, "seed": seed}


def measure(pooling: str, window: int, data: Any, scratch: Path, **classifier: Any) -> Rows:
    """Train one network; return its evaluations and the error that came back to its filters."""
    del pooling, window
    rows = learn(data[DATA], scratch=scratch, **classifier).rows
    return [row for row in rows if row.get("module", FILTERS[0]) in FILTERS]


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare means over seeds."""
    mean = judged.ends(rows, RUN).groupby(["pooling", "window"])["wrong"].mean()
    for window in (2, 3):
        pair = [("maximum", window), ("mean", window)]
        if all(of in mean.index for of in pair):
            maximum, average = (mean[of] for of in pair)
            claim = f"windows of {window}×{window}: the maximum is not worse than the mean"
            yield Check(claim, bool(maximum <= average), f"{maximum:.2f} and {average:.2f} %")
    for other, claim in ((4, "better than of 4×4"), (1, "not worse than no pooling")):
        pair = [("maximum", 2), ("maximum", other)]
        if all(of in mean.index for of in pair):
            two, beside = (mean[of] for of in pair)
            holds = two < beside if other == 4 else two <= beside
            seen = f"{two:.2f} and {beside:.2f} %"
            yield Check(f"the maximum over windows of 2×2 is {claim}", bool(holds), seen)


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often each network is wrong at the end."""
    by = judged.ends(rows, RUN).groupby(["pooling", "window"], sort=False)
    return pd.DataFrame(
        {
            "pooling": pooling,
            "window": f"{window}×{window}",
            "parameters": int(runs["parameters"].iloc[0]),
            "wrong, %": judged.spread(runs["wrong"]),
        }
        for (pooling, window), runs in by
    )


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    data=(DATA,),
    figures=(
        judged.curves("pooling", "window"),
        Table(
            name="wrong-final",
            title="Wrong at the end",
            caption="Mean ± standard deviation over seeds.",
            build=_table,
        ),
        judged.errors("pooling", column="module", where={"window": 2}),
    ),
)
