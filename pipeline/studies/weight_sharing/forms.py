"""What the comparisons of trained forms share: how often each was wrong at the end."""

from typing import Any

import pandas as pd

from pipeline.measuring import classifying
from pipeline.measuring.statistics import with_interval
from pipeline.study import Table

RUN = "form", "train_size", "seed"


def last_evaluations(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the last evaluation of each run."""
    return classifying.ends(rows, RUN).astype({"train_size": int})


def wrong_by_size(rows: pd.DataFrame) -> dict[int, dict[str, pd.Series]]:
    """Return what is wrong, in percent, by seed: for each number of pictures, of each form."""
    ends = last_evaluations(rows).set_index("seed")
    return {
        int(str(size)): {str(form): of["wrong"] for form, of in seen.groupby("form", sort=False)}
        for size, seen in ends.groupby("train_size")
    }


def parameters(rows: pd.DataFrame) -> dict[str, int]:
    """Return how many parameters each form has."""
    by = last_evaluations(rows).groupby("form")["parameters"]
    return {str(form): int(of.iloc[0]) for form, of in by}


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often each form is wrong, by the number of pictures that it learned from."""
    lines: dict[Any, dict[str, Any]] = {}
    by = last_evaluations(rows).groupby(["form", "train_size"], sort=False)
    for (form, size), runs in by:
        line = lines.setdefault(form, {"parameters": f"{int(runs['parameters'].iloc[0]):,}"})
        line[f"{size:,}"] = with_interval(runs["wrong"], 2)
    return pd.DataFrame([{"form": form, **line} for form, line in lines.items()])


TABLE = Table(
    name="wrong-final",
    title="Wrong, in percent, by how many digits were learned from",
    caption="On the test part, looked at once, at the end; mean ± 95 % interval over seeds.",
    build=_table,
)
CURVES = classifying.curves("form", "train_size")
