"""Several seeds' values as words."""

import pandas as pd


def spread(values: pd.Series, digits: int = 2) -> str:
    """Return mean and standard deviation as words; the mean alone of a single value."""
    mean = f"{values.mean():.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {values.std():.{digits}f}"
