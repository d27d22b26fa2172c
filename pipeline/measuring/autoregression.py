"""Forecasts of a series without a network: autoregression, plain and by thresholds.

    AR(p)            y_t = w_0 + Σ_{k=1}^{p} w_k y_{t-k} + ε                      by least squares
    threshold AR     an AR for each of two regimes, y_{t-d} ≤ r and y_{t-d} > r   by least squares

For a threshold AR, the order ≤ p of each regime, the lag d ≤ p and the threshold r (one of the
series' values) are those with the least AIC, Σ n ln(residual sum of squares / n) + 2 (order + 1)
over both regimes; each regime must have at least a share LEAST_SHARE of the values. These models
are fitted in closed form, not trained, so they are here and not among the networks.

To forecast several steps ahead, earlier forecasts are used as if they were observed values.

References:
    Yule (1927), On a method of investigating periodicities in disturbed series, Philosophical
        Transactions of the Royal Society A 226.
    Tong & Lim (1980), Threshold autoregression, limit cycles and cyclical data, Journal of the
        Royal Statistical Society B 42(3).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from lightning_modules.checks import whole

Numbers = np.ndarray[Any, np.dtype[np.float64]]
LEAST_SHARE = 0.15
"""The least share of the series' values that a regime may have."""


class AR(NamedTuple):
    """One regime: the weights, w_0 first."""

    weights: Numbers

    def ahead(self, past_NP: Numbers, steps: int) -> Numbers:
        """Return the forecasts 1 … ``steps`` ahead, (N, steps), from N rows of past values.

        The newest value is a row's last. A row needs as many values as the order; older values are
        not used.
        """
        return _ahead(past_NP, steps, self._next)

    def _next(self, past_NP: Numbers) -> Numbers:
        order = len(self.weights) - 1
        return self.weights[0] + _newest_first(past_NP, order) @ self.weights[1:]


class ThresholdAR(NamedTuple):
    """Two regimes, told apart by the value ``lag`` steps before the one that is forecast."""

    below: AR
    above: AR
    lag: int
    threshold: float

    def ahead(self, past_NP: Numbers, steps: int) -> Numbers:
        """Return the forecasts 1 … ``steps`` ahead, as ``AR.ahead`` does."""
        return _ahead(past_NP, steps, self._next)

    def _next(self, past_NP: Numbers) -> Numbers:
        low = past_NP[:, -self.lag] <= self.threshold
        return np.where(low, self.below._next(past_NP), self.above._next(past_NP))


def autoregression(series_N: Numbers, order: int) -> AR:
    """Fit AR(``order``) to a series; ValueError where it is too short."""
    y_N, X_NP = _lagged(series_N, order)
    return AR(_least_squares(X_NP, y_N))


def threshold_autoregression(series_N: Numbers, order: int) -> ThresholdAR:
    """Fit two regimes of at most ``order`` lags; ValueError where the series is too short."""
    y_N, X_NP = _lagged(series_N, order)
    least = max(order + 2, math.ceil(LEAST_SHARE * len(y_N)))
    best = math.inf, 1, math.nan, (1, 1)
    for lag in range(1, order + 1):
        seen_N = X_NP[:, lag]
        for threshold in np.unique(seen_N):
            low_N = seen_N <= threshold
            if not least <= low_N.sum() <= len(y_N) - least:
                continue
            (one, p), (other, q) = (_least_aic(X_NP[of], y_N[of]) for of in (low_N, ~low_N))
            best = min(best, (one + other, lag, float(threshold), (p, q)))
    _, lag, threshold, orders = best
    if math.isnan(threshold):
        raise ValueError(
            f"the series has {len(series_N)} values: too few for two regimes of order {order}"
        )
    low_N = X_NP[:, lag] <= threshold
    below, above = (
        AR(_least_squares(X_NP[of, : p + 1], y_N[of]))
        for of, p in zip((low_N, ~low_N), orders, strict=True)
    )
    return ThresholdAR(below, above, lag, threshold)


def _lagged(series_N: Numbers, order: int) -> tuple[Numbers, Numbers]:
    """Return the values from ``order`` on; for each, 1 and the values before it, newest first."""
    whole(1, order=order)
    if len(series_N) <= 2 * order:
        raise ValueError(f"the series has {len(series_N)} values: too few for an order of {order}")
    N = len(series_N)
    before = [series_N[order - k : N - k] for k in range(1, order + 1)]
    return series_N[order:], np.column_stack([np.ones(N - order), *before])


def _least_squares(X_NP: Numbers, y_N: Numbers) -> Numbers:
    weights: Any = np.linalg.lstsq(X_NP, y_N, rcond=None)[0]
    return weights


def _least_aic(X_NP: Numbers, y_N: Numbers) -> tuple[float, int]:
    """Return the least AIC over orders, and its order; one QR gives the residuals of all orders."""
    R: Any = np.linalg.qr(np.column_stack([X_NP, y_N]), mode="r")
    left_P = np.cumsum(R[:, -1][::-1] ** 2)[::-1][2:]  # of orders 1 on
    order_P = np.arange(1, len(left_P) + 1)
    aic_P = len(y_N) * np.log(left_P / len(y_N)) + 2 * (order_P + 1)
    return float(aic_P.min()), int(order_P[aic_P.argmin()])


def _ahead(past_NP: Numbers, steps: int, following: Any) -> Numbers:
    """Append forecasts to the past, one after the other, and return them."""
    given = past_NP.shape[1]
    for _ in range(steps):
        past_NP = np.column_stack([past_NP, following(past_NP)])
    return past_NP[:, given:]


def _newest_first(past_NP: Numbers, order: int) -> Numbers:
    return past_NP[:, -order:][:, ::-1]
