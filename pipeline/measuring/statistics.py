"""Rows -> numbers: how runs ended, means with their intervals, lines through points.

Intervals in words are computed here; the tests behind claims are in ``judging``. scipy and
statsmodels are imported where they are used, so that a study can be declared without waiting.
"""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.measuring.judging import Region, of_difference

MORE = 3
"""Digits that a mean is shown with beyond those asked for, at most."""


def last_rows(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the rows of each run's last step; ``by`` names the columns that identify a run."""
    return rows[rows["step"] == rows.groupby(list(by))["step"].transform("max")]


def last_evaluations(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the last row of each run; one that diverged has an infinite held-out loss.

    ``by`` names the columns that identify a run.
    """
    last = last_rows(rows, by)
    loss = pd.to_numeric(last["held_out_loss"])
    lost = last["diverged"].astype(bool) | loss.isna()
    return last.assign(held_out_loss=loss.where(~lost, math.inf))


def half_width(values: pd.Series) -> float:
    """Return the half-width of the mean's 95 % interval by Student's t; NaN for one value."""
    from scipy.stats import t

    if len(values) < 2:
        return math.nan
    return float(values.sem() * t.ppf(0.975, len(values) - 1))


def half_widths(grouped: Any) -> pd.Series:
    """Return the same for each group's mean, of values grouped by pandas."""
    from scipy.stats import t

    return grouped.sem() * t.ppf(0.975, grouped.size() - 1)


def with_interval(values: pd.Series, digits: int = 3) -> str:
    """Return the mean and the half-width of its 95 % confidence interval as words.

    More digits than asked for are shown where the half-width would be 0 without them.
    """
    return _plus_minus(float(values.mean()), half_width(values), digits)


def median_and_range(values: pd.Series) -> str:
    """Return the median and, in brackets, the least and the largest as words, to three digits."""
    return f"{values.median():.3g} ({values.min():.3g} to {values.max():.3g})"


def _plus_minus(mean: float, width: float, digits: int) -> str:
    """Return both as words, the mean alone where there is no half-width."""
    if math.isnan(width):
        return f"{mean:.{digits}f}"
    needed = -math.floor(math.log10(width)) if width > 0 else 0
    shown = needed if digits < needed <= digits + MORE else digits
    return f"{mean:.{shown}f} ± {width:.{shown}f}"


def apart(less: pd.Series, more: pd.Series) -> bool:
    """Return whether ``more`` has the larger mean by the 95 % interval of the difference.

    As in claims, values with the same index are compared in pairs. Too few values tell nothing, nor
    do some that are infinite.
    """
    if not all(math.isfinite(values.mean()) for values in (less, more)):
        return False
    found, _ = of_difference(less, more, Region(0.0, math.inf))
    return bool(found.low > 0)


def difference(less: pd.Series, more: pd.Series, digits: int = 2) -> str:
    """Return by how much ``more`` has the larger mean, and the half-width that ``apart`` judges by.

    Of too few values there is none.
    """
    found, _ = of_difference(less, more, Region(0.0, math.inf))
    return _plus_minus(found.estimate, found.high - found.estimate, digits)


def listed(parts: Sequence[str]) -> str:
    """Return parts as words: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def share_interval(succeeded: pd.Series) -> tuple[float, float]:
    """Return Wilson's 95 % confidence interval of a share of successes."""
    from statsmodels.stats.proportion import proportion_confint

    bounds: Any = proportion_confint(int(succeeded.sum()), len(succeeded), method="wilson")
    return float(bounds[0]), float(bounds[1])


def share_in_words(succeeded: pd.Series) -> str:
    """Return how many succeeded, and the 95 % interval, as words."""
    low, high = share_interval(succeeded)
    return f"{int(succeeded.sum())} of {len(succeeded)} ({low:.0%} to {high:.0%})"


def line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """Fit y = slope x + intercept; return both and the slope's 95 % half-width.

    The half-width is NaN for two points, through which every line fits exactly.
    """
    from scipy.stats import linregress, t

    fit: Any = linregress(x, y)
    width = fit.stderr * t.ppf(0.975, len(x) - 2) if len(x) > 2 else math.nan
    return float(fit.slope), float(fit.intercept), float(width)


def exponent(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Fit y ~ x^k; return k and its 95 % half-width."""
    import numpy as np

    slope, _, width = line(np.log(x).tolist(), np.log(y).tolist())
    return slope, width
