"""What the rows of the part ``agreement`` say, as tables of rules by cells."""

from collections.abc import Callable

import pandas as pd

from pipeline.studies.online_algorithms.rules import with_interval
from pipeline.study import Table

REFUSES = "refuses"


def cosines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each rule's cosine to the exact gradient on each cell."""
    return _by_cell(rows, lambda seen: with_interval(seen["cosine"]))


def noise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the bias and variance of the rules that have noise of their own, on each cell."""
    unbiased = rows[(rows["claim"] == "unbiased") & rows["cosine"].notna()]
    lines = [
        {
            "rule": rule,
            "cell": cell,
            "bias in standard errors": with_interval(seen["bias_in_errors"], 2),
            "standard error": seen["standard_error"].median(),
            "variance of a draw": seen["variance"].median(),
        }
        for (rule, cell), seen in unbiased.groupby(["rule", "cell"], sort=False)
    ]
    return pd.DataFrame(lines).round(3)


def prices(rows: pd.DataFrame) -> pd.DataFrame:
    """Return time and memory of a run of one step of each rule on each cell."""

    def said(seen: pd.DataFrame) -> str:
        return f"{seen['microseconds'].min():.0f} µs, {seen['kilobytes'].max():.0f} kB"

    return _by_cell(rows, said)


def _by_cell(rows: pd.DataFrame, said: Callable[[pd.DataFrame], str]) -> pd.DataFrame:
    """Return a table of rules by cells, each in the order of the rows."""
    lines: dict[str, dict[str, str]] = {}
    for (rule, cell), seen in rows.groupby(["rule", "cell"], sort=False):
        words = REFUSES if seen["cosine"].isna().all() else said(seen)
        lines.setdefault(str(rule), {})[str(cell)] = words
    cells = rows["cell"].unique().tolist()
    return pd.DataFrame([{"rule": rule, **by} for rule, by in lines.items()])[["rule", *cells]]


COSINES = Table(
    name="cosines",
    title="Direction: the cosine to the exact gradient",
    caption="Mean over seeds and its 95 % confidence interval; of algorithms with noise of their "
    "own, that of a single draw. A cell that an algorithm is not made for is refused. Public "
    "runs of 64 units have UORO's between .04 and .10; where a draw points better here, that "
    "fewer units share its one vector is the likely cause.",
    build=cosines,
)
NOISE = Table(
    name="noise",
    title="Noise: bias in standard errors, and variance",
    caption="Bias: distance of the mean over all copies from the exact gradient, root mean "
    "square over parameters; 1 is what chance gives a right mean. Standard error of that mean and "
    "variance of a single draw, E|g - Eg|², are relative to the exact gradient and its square.",
    build=noise,
)
PRICES = Table(
    name="prices",
    title="Price: processor time and peak memory of a run of one step",
    caption="float32, one sample, one thread; the least time and the most memory over seeds. "
    "Memory is of tensors made along the stream. Programs, not operations, are what is compared: "
    "at so few units much of it is the interpreter's work.",
    build=prices,
)
