"""Replicates -> an estimate, its interval, and the p-values for and against a region.

Means by Student's t, differences of means in pairs or by Welch's test, medians by the bootstrap,
shares by Wilson's score. scipy and statsmodels are imported where they are used, so that a study
can be declared without waiting for them.
"""

import dataclasses
import math
from typing import Any

import pandas as pd

from pipeline.study import LEVEL

RESAMPLES = 9_999
LEAST_OF_MEDIAN = 5
"""The fewest replicates whose median is judged by the bootstrap."""
ROUNDING = 1e-12
"""Replicates are taken as equal if their deviation is below this share of the largest value."""


@dataclasses.dataclass(frozen=True)
class Region:
    """The interval in which a claim says that a number lies."""

    low: float
    high: float
    unit: str = ""

    def words(self, digits: int, unit: str = "") -> str:
        """Return the region as words; for ``unit`` see ``evidence.within``."""
        low, high = (
            f"{v:.0%}" if self.unit else number(v, digits, unit) for v in (self.low, self.high)
        )
        bounded = [
            self.low > (0 if self.unit else -math.inf),
            self.high < (1 if self.unit else math.inf),
        ]
        if all(bounded):
            return _with_unit(f"{low} to {high}", unit)
        return _with_unit(f"> {low}" if bounded[0] else f"< {high}", unit)

    def distance(self, at: float) -> float:
        """Return how far within the region a number lies; negative outside."""
        return min(at - self.low, self.high - at)

    def effect(self, at: float, spread: float) -> float:
        """Return the distance in standard deviations (``spread``); NaN if that is not above 0."""
        return self.distance(at) / spread if spread > 0 else math.nan


@dataclasses.dataclass(frozen=True)
class Found:
    """An estimate, its interval, and the p-values of the claim's being false and its being true."""

    estimate: float
    low: float
    high: float
    if_false: float
    if_true: float
    effect: float = math.nan
    resampled: bool = False

    @classmethod
    def nothing(cls) -> "Found":
        """Return the result without replicates, which decides nothing."""
        return cls(math.nan, math.nan, math.nan, 1.0, 1.0)

    def words(self, digits: int, n: int, unit: str = "") -> str:
        """Return the estimate and its interval; for ``unit`` see ``evidence.within``."""
        value, low, high = (number(v, digits, unit) for v in (self.estimate, self.low, self.high))
        value = _with_unit(value, unit)
        if n < 2 or math.isnan(self.low):
            return f"{value} of one seed alone" if n == 1 else value
        return f"{value} ({low} to {high})"

    def exponential(self) -> "Found":
        """Return the result for the number of which this one is the logarithm."""
        of = [exponential(v) for v in (self.estimate, self.low, self.high)]
        return dataclasses.replace(self, estimate=of[0], low=of[1], high=of[2])


def certain(holds: bool) -> tuple[float, float]:
    """Return the p-values of a claim that is known to hold, or not to."""
    return (0.0, 1.0) if holds else (1.0, 0.0)


def deviation(values: pd.Series) -> float:
    """Return the standard deviation, 0 where values differ by rounding alone; NaN for one value."""
    found: Any = values.std()
    if len(values) < 2:
        return math.nan
    return 0.0 if found <= ROUNDING * float(values.abs().max()) else float(found)


def standard_error(values: pd.Series) -> float:
    """Return the standard error of the mean; NaN for a single value."""
    return deviation(values) / math.sqrt(len(values)) if len(values) else math.nan


def by_student(estimate: float, error: float, freedom: float, region: Region) -> Found:
    """Judge an estimate with its standard error by Student's t."""
    from scipy.stats import t

    if freedom < 1 or math.isnan(error):
        return dataclasses.replace(Found.nothing(), estimate=float(estimate))
    if error == 0:  # all replicates are equal; two may be so by chance, three or more decide
        if freedom < 2:
            return dataclasses.replace(Found.nothing(), estimate=float(estimate))
        p = certain(region.distance(estimate) > 0)
        return Found(float(estimate), float(estimate), float(estimate), *p)
    width = error * float(t.ppf(1 - LEVEL / 2, freedom))
    over, under = (estimate - region.low) / error, (region.high - estimate) / error
    if_false = max(float(t.sf(over, freedom)), float(t.sf(under, freedom)))
    if_true = min(float(t.cdf(over, freedom)), float(t.cdf(under, freedom)))
    return Found(float(estimate), estimate - width, estimate + width, if_false, if_true)


def by_welch(a: pd.Series, b: pd.Series, region: Region) -> Found:
    """Judge by how much b's mean exceeds a's, for independent replicates."""
    errors = [standard_error(v) ** 2 for v in (a, b)]
    whole = sum(errors)
    parts = sum(e**2 / (len(v) - 1) for e, v in zip(errors, (a, b), strict=True) if len(v) > 1)
    freedom = whole**2 / parts if parts else len(a) + len(b) - 2
    found = by_student(b.mean() - a.mean(), math.sqrt(whole), freedom, region)
    spread = math.sqrt((a.var() + b.var()) / 2) if min(len(a), len(b)) > 1 else math.nan
    return dataclasses.replace(found, effect=region.effect(found.estimate, spread))


def of_difference(a: pd.Series, b: pd.Series, region: Region) -> tuple[Found, bool]:
    """Judge by how much b's mean exceeds a's: in pairs if both have the same index, or by Welch.

    Returns:
        What was found, and whether it is of pairs.
    """
    if not (a.index.is_unique and a.index.sort_values().equals(b.index.sort_values())):
        return by_welch(a, b, region), False
    apart = b - a
    found = by_student(apart.mean(), standard_error(apart), len(apart) - 1, region)
    return dataclasses.replace(found, effect=region.effect(found.estimate, deviation(apart))), True


def of_median(values: pd.Series, region: Region) -> Found:
    """Judge a median by the bootstrap."""
    import numpy as np

    return _bootstrap((values,), np.median, region)


def of_medians(a: pd.Series, b: pd.Series, region: Region) -> Found:
    """Judge by the bootstrap by how much b's median exceeds a's; values may be infinite."""
    import numpy as np

    def apart(a: Any, b: Any, axis: int = -1) -> Any:
        # If both medians are infinite, neither exceeds the other.
        middle = np.median(b, axis=axis) - np.median(a, axis=axis)
        return np.nan_to_num(middle, nan=0.0, posinf=np.inf, neginf=-np.inf)

    return _bootstrap((a, b), apart, region)


def _bootstrap(samples: tuple[pd.Series, ...], statistic: Any, region: Region) -> Found:
    """Judge a statistic by the percentiles of its bootstrap distribution."""
    import numpy as np
    from scipy.stats import bootstrap

    least = min(len(sample) for sample in samples)
    arrays = tuple(sample.to_numpy() for sample in samples)
    with np.errstate(all="ignore"):
        estimate = float(statistic(*arrays)) if least else math.nan
        if least < LEAST_OF_MEDIAN:
            return dataclasses.replace(Found.nothing(), estimate=estimate, resampled=True)
        draws = bootstrap(
            arrays, statistic, n_resamples=RESAMPLES, method="percentile", rng=0
        ).bootstrap_distribution
        low, high = np.quantile(draws, [LEVEL / 2, 1 - LEVEL / 2], method="inverted_cdf")
    unbounded = math.isinf(region.high)
    inside = int(((draws > region.low) & (unbounded | (draws < region.high))).sum())
    if_true, if_false = ((1 + k) / (RESAMPLES + 1) for k in (inside, RESAMPLES - inside))
    return Found(estimate, float(low), float(high), if_false, if_true, resampled=True)


def of_share(count: int, n: int, region: Region) -> tuple[float, float, float]:
    """Return a share's p-values by the score test that Wilson's interval inverts, and Cohen's h."""
    from scipy import stats

    def score(bound: float) -> float:
        error = math.sqrt(bound * (1 - bound) / n)
        off = count / n - bound
        return off / error if error else math.copysign(math.inf, off) if off else 0.0

    sides = []
    if region.low > 0:
        sides.append(score(region.low))
    if region.high < 1:
        sides.append(-score(region.high))
    if_false = max(float(stats.norm.sf(z)) for z in sides)
    if_true = min(float(stats.norm.cdf(z)) for z in sides)
    bound = region.low if region.low > 0 else region.high
    h = 2 * (math.asin(math.sqrt(count / n)) - math.asin(math.sqrt(bound)))
    return if_false, if_true, h if region.low > 0 else -h


def number(value: float, digits: int, unit: str = "") -> str:
    """Return a number with so many significant digits, a share as so many of 100 where asked."""
    return f"{100 * value if unit.startswith('%') else value:.{digits}g}"


def _with_unit(words: str, unit: str) -> str:
    return f"{words} {unit}".rstrip()


def logarithm(value: float) -> float:
    """Return the logarithm; -inf for zero and below."""
    return math.log(value) if value > 0 else -math.inf


def exponential(value: float) -> float:
    """Return e to that power; infinity where a number cannot hold it."""
    return math.inf if value > 700 else math.exp(value)
