"""Autoregressions: their weights, and forecasts that see the past alone."""

from typing import Any

import numpy as np
import pytest
from statsmodels.datasets import sunspots
from statsmodels.tsa.ar_model import AutoReg

from pipeline.measuring.autoregression import (
    autoregression,
    threshold_autoregression,
)

DATA: Any = sunspots.load_pandas().data
YEARS = DATA["SUNACTIVITY"].to_numpy()
TRAIN = YEARS[:221]


@pytest.mark.parametrize("order", [1, 2, 9, 12])
def test_weights_and_forecasts_are_those_of_statsmodels(order: int):
    ours, theirs = autoregression(TRAIN, order), AutoReg(TRAIN, order).fit()
    np.testing.assert_allclose(ours.weights, theirs.params, rtol=0, atol=1e-6)
    ahead = theirs.predict(len(TRAIN), len(TRAIN) + 9)
    np.testing.assert_allclose(ours.ahead(TRAIN[None], 10)[0], ahead, rtol=0, atol=1e-6)


def _made(weights: dict[bool, tuple[float, float]], steps: int = 4000) -> np.ndarray:
    """Return a series of two regimes by the value two steps ago, at most 0 or above."""
    noise = np.random.default_rng(0).normal(size=steps)
    y = [0.0, 0.0]
    for t in range(2, steps):
        constant, slope = weights[y[t - 2] <= 0]
        y.append(constant + slope * y[t - 1] + 0.5 * noise[t])
    return np.array(y)


def test_two_regimes_are_found_where_there_are_two():
    fitted = threshold_autoregression(_made({True: (1.0, -0.5), False: (-1.0, 0.5)}), order=3)
    assert fitted.lag == 2
    assert abs(fitted.threshold) < 0.05
    np.testing.assert_allclose(fitted.below.weights[:2], [1.0, -0.5], atol=0.1)
    np.testing.assert_allclose(fitted.above.weights[:2], [-1.0, 0.5], atol=0.1)


def test_the_threshold_model_is_of_the_least_aic_of_all_lags_thresholds_and_orders():
    series, order = TRAIN[:80], 3
    fitted = threshold_autoregression(series, order)
    y = series[order:]
    X = np.column_stack([np.ones(len(y)), *(series[order - k : 80 - k] for k in (1, 2, 3))])

    def aic(rows: np.ndarray) -> float:
        of = []
        for p in range(1, order + 1):
            left = y[rows] - X[rows, : p + 1] @ np.linalg.pinv(X[rows, : p + 1]) @ y[rows]
            of.append(rows.sum() * np.log(left @ left / rows.sum()) + 2 * (p + 1))
        return min(of)

    least = int(np.ceil(0.15 * len(y)))
    found = {
        (lag, r): aic(X[:, lag] <= r) + aic(X[:, lag] > r)
        for lag in (1, 2, 3)
        for r in X[:, lag]
        if least <= (X[:, lag] <= r).sum() <= len(y) - least
    }
    assert min(found, key=lambda of: found[of]) == (fitted.lag, fitted.threshold)


def test_a_threshold_model_forecasts_by_the_regime_that_it_is_in():
    fitted = threshold_autoregression(TRAIN, 12)
    past = YEARS[None, :240]
    regime = fitted.below if YEARS[240 - fitted.lag] <= fitted.threshold else fitted.above
    order = len(regime.weights) - 1
    by_hand = regime.weights[0] + regime.weights[1:] @ YEARS[239 : 239 - order : -1]
    assert fitted.ahead(past, 4)[0, 0] == pytest.approx(by_hand, rel=1e-12)
    two = fitted.ahead(np.append(past, by_hand)[None], 1)
    assert fitted.ahead(past, 4)[0, 1] == pytest.approx(two[0, 0], rel=1e-12)


def test_too_short_a_series_is_refused_in_one_line():
    with pytest.raises(ValueError, match="has 18 values: too few for an order of 9"):
        autoregression(TRAIN[:18], 9)
    with pytest.raises(ValueError, match="too few for two regimes of order 9"):
        threshold_autoregression(TRAIN[:25], 9)
    with pytest.raises(ValueError, match="order is 0"):
        autoregression(TRAIN, 0)
