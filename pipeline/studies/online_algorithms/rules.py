"""Algorithms as trials name them, built and called alike in every part."""

import math
from collections.abc import Iterable, Iterator

import pandas as pd
from scipy.stats import t as t_distribution

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.interfaces import Algorithm
from pipeline.study import Trial


def rules(algorithms: Iterable[str], horizons: Iterable[int]) -> Iterator[Trial]:
    """Iterate over the algorithms; TBPTT, where it is among them, under every horizon."""
    for algorithm in algorithms:
        for horizon in horizons if algorithm == "tbptt" else [None]:
            yield {"algorithm": algorithm, "horizon": horizon}


def build(algorithm: str, horizon: int | None, stride: int | None = None) -> Algorithm:
    """Build an algorithm with what it takes; None leaves an argument at its default."""
    options = {"horizon": horizon, "stride": stride}
    return ALGORITHMS[algorithm](**{k: v for k, v in options.items() if v is not None})


def called(algorithm: str, horizon: int | None, stride: int | None = None) -> str:
    """Return what the rule is called: its name, and what it was built with in brackets."""
    given = [str(value) for value in (horizon, stride) if value is not None]
    return f"{algorithm}({', '.join(given)})" if given else algorithm


def claim(algorithm: str) -> str:
    """Return what the algorithm promises of its gradient, in one word."""
    return ALGORITHMS[algorithm].claim.name.lower()


def half_width(values: pd.Series) -> float:
    """Return the half-width of the mean's 95 % confidence interval; NaN for one value."""
    if len(values) < 2:
        return math.nan
    return float(values.sem() * t_distribution.ppf(0.975, len(values) - 1))


def with_interval(values: pd.Series, digits: int = 3) -> str:
    """Return the mean and the half-width of its 95 % confidence interval as words."""
    mean, width = f"{values.mean():.{digits}f}", half_width(values)
    return mean if math.isnan(width) else f"{mean} ± {width:.{digits}f}"
