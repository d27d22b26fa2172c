"""Forecasts without a network, of any origin and horizon, fitted to the training part alone.

    last           the last value                      period   the value one period ago
    mean           of the training part                climatology   of the month, in that part
    persistence    the last anomaly, on the climatology
    ar, threshold_ar    by least squares, iterated; of anomalies where these are asked for

A period is the Sun's cycle of 11 years, or a year of 12 months.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pipeline.measuring.autoregression import (
    Numbers,
    autoregression,
    threshold_autoregression,
)

PERIOD = {1: 11, 12: 12}
"""Values of a period, by values a year."""


class Seen(NamedTuple):
    """A series, what of it is fitted to, and where it is forecast from."""

    series_N: Numbers
    trained: int
    """Values of the training part."""
    per_year: int
    origins_B: np.ndarray[Any, np.dtype[np.int64]]
    """The place of the last value that each forecast sees."""
    steps: int
    """Ahead."""

    @property
    def places(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The places that are forecast; some may lie beyond the series."""
        return self.origins_B[:, None] + np.arange(1, self.steps + 1)

    def climatology(self) -> Numbers:
        """Return the mean of each month of the training part, (M,)."""
        train_N = self.series_N[: self.trained]
        return np.array([train_N[m :: self.per_year].mean() for m in range(self.per_year)])


def _last(seen: Seen, order: int) -> Numbers:
    return np.repeat(seen.series_N[seen.origins_B][:, None], seen.steps, axis=1)


def _period(seen: Seen, order: int) -> Numbers:
    period = PERIOD[seen.per_year]
    ago_H = period * -(-np.arange(1, seen.steps + 1) // period)  # whole periods, what is seen
    return seen.series_N[seen.places - ago_H]


def _mean(seen: Seen, order: int) -> Numbers:
    return np.full(seen.places.shape, seen.series_N[: seen.trained].mean())


def _climatology(seen: Seen, order: int) -> Numbers:
    return seen.climatology()[seen.places % seen.per_year]


def _persistence(seen: Seen, order: int) -> Numbers:
    by_month, at_B = seen.climatology(), seen.origins_B
    off_B = seen.series_N[at_B] - by_month[at_B % seen.per_year]
    return off_B[:, None] + by_month[seen.places % seen.per_year]


def _iterated(fit: Callable[[Numbers, int], Any]) -> Callable[[Seen, int], Numbers]:
    def forecasts(seen: Seen, order: int) -> Numbers:
        fitted = fit(seen.series_N[: seen.trained], order)
        past_BP = seen.series_N[seen.origins_B[:, None] + np.arange(1 - order, 1)]
        return fitted.ahead(past_BP, seen.steps)

    return forecasts


RULES: dict[str, Callable[[Seen, int], Numbers]] = {
    "last": _last,
    "period": _period,
    "mean": _mean,
    "climatology": _climatology,
    "persistence": _persistence,
    "ar": _iterated(autoregression),
    "threshold_ar": _iterated(threshold_autoregression),
}
FITTED = "ar", "threshold_ar"
"""Those that have an order."""


def counted(rule: str, order: int, seen: Seen, anomalies: bool) -> Numbers:
    """Return the forecasts of a rule, (origins, steps ahead), in the series' own unit."""
    if not anomalies:
        return RULES[rule](seen, order)
    by_month, at_N = seen.climatology(), np.arange(len(seen.series_N))
    off = seen._replace(series_N=seen.series_N - by_month[at_N % seen.per_year])
    return RULES[rule](off, order) + by_month[seen.places % seen.per_year]
