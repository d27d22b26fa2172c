"""How a run ended, and what is said of the runs of several seeds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from pipeline.study import Row

Measured = Mapping[str, Any]
"""A row of an evaluation with what was probed before it."""
ALWAYS = 0.99
"""The fraction of updates from which on everything is said to be clipped."""


def wrong(row: Measured) -> float | None:
    """Return the fraction of outputs that are wrong; where they are values, the squared error."""
    accuracy = row["held_out_accuracy"]
    return row["held_out_loss"] if accuracy is None else 1 - accuracy


def outcome(rows: Sequence[Measured], threshold: float | None, success: float | None) -> Row:
    """Sum up one run.

    What a clip does is averaged over the updates before the first success, since afterwards next
    to no gradient is left: ``norm`` is Pascanu's mean norm, of gradients before clipping.
    """
    least, trained = success or 0.0, [row for row in rows if row["step"] > 0]
    errors = ((row["step"], wrong(row)) for row in trained)
    solved = [step for step, error in errors if error is not None and error < least]
    before = [row for row in trained if row["step"] <= min(solved, default=math.inf)]
    norm, last = _mean(before, "norm"), rows[-1]
    return {
        "succeeded": None if success is None else bool(solved),
        "updates_to_success": min(solved, default=None),
        "final_loss": last["held_out_loss"],
        "diverged": last["diverged"],
        "norm": norm,
        "threshold_over_norm": threshold / norm if threshold and norm else None,
        "clipped": _mean(before, "clipped"),
        "kept": _mean(before, "kept"),
        "cosine": _mean(before, "cosine"),
    }


def _mean(rows: Sequence[Measured], name: str) -> float | None:
    """Return the mean of what is there; None where nothing is."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return sum(values) / len(values) if values else None


def outcomes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each run that sums it up; a run that diverged has an infinite loss."""
    ends = rows[rows["record"] == "outcome"]
    lost = ends["diverged"].astype(bool) | ends["final_loss"].isna()
    return ends.assign(final_loss=ends["final_loss"].where(~lost, math.inf))


def interval(succeeded: pd.Series) -> tuple[float, float]:
    """Return Wilson's 95 % confidence interval of a success rate."""
    count = int(succeeded.sum())
    bounds: Any = proportion_confint(count, len(succeeded), method="wilson")
    return float(bounds[0]), float(bounds[1])


def told(succeeded: pd.Series) -> str:
    """Say how many succeeded, and the interval."""
    low, high = interval(succeeded)
    return f"{int(succeeded.sum())} of {len(succeeded)} ({low:.0%} to {high:.0%})"
