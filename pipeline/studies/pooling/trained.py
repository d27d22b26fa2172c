"""Which pooling makes LeNet-5 right most often, and what comes back to the filters below it?

The network is LeNet-5 in today's dress with maximum or mean over windows of several sizes, of which
1 is no pooling, beside the one of 1998 with its trainable sub-sampling. ``C1`` and ``C3`` are the
layers of filters; the error that comes back to them is ‖∂L/∂h‖ of their outputs, over the batch.
"""

import json
from collections.abc import Iterator

import pandas as pd
from pydantic import PositiveInt

from pipeline.measuring import classifying
from pipeline.measuring.classifying import PictureTraining
from pipeline.measuring.former import pictures
from pipeline.measuring.statistics import with_deviation
from pipeline.study import Check, Entries, Given, Part, Rows, Table

RUN = "pooling", "window", "seed"
FILTERS = "layers.C1", "layers.C3"


class Pooled(PictureTraining):
    """LeNet-5 under one pooling."""

    pooling: str
    """maximum or mean; trainable is that of 1998."""
    window: PositiveInt
    """Pixels across."""

    def measure(self, given: Given) -> Rows:
        """Train; return the evaluations and the error that came back to the filters."""
        own = {} if self.pooling == CLASSIC else {"pooling": self.pooling, "window": self.window}
        network = self.model_copy(update={"options": {**(self.options or {}), **own}})
        rows = network.learn(given).rows
        return [row for row in rows if row.get("module", FILTERS[0]) in FILTERS]


CLASSIC = "trainable"


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare means over seeds."""
    mean = classifying.ends(rows, RUN).groupby(["pooling", "window"])["wrong"].mean()
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
    by = classifying.ends(rows, RUN).groupby(["pooling", "window"], sort=False)
    return pd.DataFrame(
        {
            "pooling": pooling,
            "window": f"{window}×{window}",
            "parameters": int(runs["parameters"].iloc[0]),
            "wrong, %": with_deviation(runs["wrong"]),
        }
        for (pooling, window), runs in by
    )


def _formerly(entries: Entries) -> Entries:
    """Return the trial as it is described now: the pooling is no option of the network."""
    now = pictures(entries)
    options = json.loads(str(now["options"]))
    own = {k: v for k, v in options.items() if k not in ("pooling", "window")}
    return {**now, "options": json.dumps(own, sort_keys=True) if own else None}


PART = Part(
    __doc__,
    Pooled,
    expects,
    formerly=_formerly,
    figures=(
        classifying.curves("pooling", "window"),
        Table(
            name="wrong-final",
            title="Wrong at the end",
            caption="Mean ± standard deviation over seeds.",
            build=_table,
        ),
        classifying.errors("pooling", column="module", where={"window": 2}),
    ),
)
