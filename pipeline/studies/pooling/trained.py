"""Which pooling makes LeNet-5 right most often, and what comes back to the filters below it?

The network is LeNet-5 in today's dress with maximum or mean over windows of several sizes, of which
1 is no pooling, beside the one of 1998 with its trainable sub-sampling. ``C1`` and ``C3`` are the
layers of filters; the error that comes back to them is ‖∂L/∂h‖ of their outputs, over the batch.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring import classifying
from pipeline.measuring.classifying import PictureTraining
from pipeline.measuring.evidence import identity, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Count, Given, Part, Published, Rows, Table

RUN = "pooling", "window", "seed"
FILTERS = "layers.C1", "layers.C3"


class Pooled(PictureTraining):
    """LeNet-5 under one pooling."""

    pooling: str
    """maximum or mean; trainable is that of 1998."""
    window: Count
    """Pixels across."""

    def measure(self, given: Given) -> Rows:
        """Train; return the evaluations and the error that came back to the filters."""
        own = {} if self.pooling == CLASSIC else {"pooling": self.pooling, "window": self.window}
        network = self.model_copy(update={"options": {**(self.options or {}), **own}})
        rows = network.learn(given).rows
        return [row for row in rows if row.get("module", FILTERS[0]) in FILTERS]


CLASSIC = "trainable"


NO_WORSE = 0.2
"""Percent of the digits: two standard errors of how many of 10,000 are wrong, if 1 % are."""
MAXIMUM = Published(
    row="pooling-maximum",
    source="Scherer, Müller & Behnke (2010), abstract: object recognition",
    value="the maximum significantly outperforms subsampling",
    tolerance=f"on MNIST not more often than the mean by {NO_WORSE} %, over windows of 2×2",
    stated="before the first run; by how much, which had not been said, after a look",
)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare one pooling with another, seed by seed."""
    wrong, sizes = wrong_by_pooling(rows), parameters(rows)
    two, four, none = (("maximum", window) for window in (2, 4, 1))
    for window in (2, 3):
        maximum, average = (wrong.get((name, window)) for name in ("maximum", "mean"))
        if maximum is not None and average is not None:
            claim = f"windows of {window}×{window}: the maximum is not worse than the mean"
            found = ordered(claim, maximum, average, by=-NO_WORSE, expected=1)
            yield found.stands_for(MAXIMUM) if window == 2 else found
    if two in wrong and four in wrong:
        claim = "the maximum over windows of 2×2 is better than of 4×4"
        yield ordered(claim, wrong[two], wrong[four], expected=2)
    if two in wrong and none in wrong:
        claim = "the maximum over windows of 2×2 is not worse than no pooling"
        yield ordered(claim, wrong[two], wrong[none], by=-NO_WORSE, expected=3)
        seen = f"{sizes[none]:,} and {sizes[two]:,}"
        claim = "no pooling has more parameters than windows of 2×2"
        yield identity(claim, sizes[none] > sizes[two], seen, expected=3)


def wrong_by_pooling(rows: pd.DataFrame) -> dict[tuple[str, int], pd.Series]:
    """Return how many of a hundred digits are wrong at the end, by pooling and window, by seed."""
    return {of: runs.set_index("seed")["wrong"] for of, runs in _runs(rows)}


def parameters(rows: pd.DataFrame) -> dict[tuple[str, int], int]:
    """Return how many parameters the network has, by pooling and window."""
    return {of: int(runs["parameters"].iloc[0]) for of, runs in _runs(rows)}


def _runs(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, int], pd.DataFrame]]:
    """Yield the ends of the runs of each pooling and window."""
    for (pooling, window), runs in classifying.ends(rows, RUN).groupby(list(RUN[:2]), sort=False):
        yield (str(pooling), int(str(window))), runs


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often each network is wrong at the end."""
    by = classifying.ends(rows, RUN).groupby(["pooling", "window"], sort=False)
    return pd.DataFrame(
        {
            "pooling": pooling,
            "window": f"{window}×{window}",
            "parameters": int(runs["parameters"].iloc[0]),
            "wrong, %": with_interval(runs["wrong"], 2),
        }
        for (pooling, window), runs in by
    )


PART = Part(
    __doc__,
    Pooled,
    expects,
    speaks_of={"pooling": ("maximum", "mean", CLASSIC)},
    figures=(
        classifying.curves("pooling", "window"),
        Table(
            name="wrong-final",
            title="Wrong at the end",
            caption="Mean ± 95 % interval over seeds. Over 1×1 there is no pooling, so the maximum "
            "and the mean are one network.",
            build=_table,
        ),
        classifying.errors("pooling", column="module", where={"window": 2}),
    ),
)
