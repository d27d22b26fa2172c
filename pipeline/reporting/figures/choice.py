"""Which rows and columns a figure shows, what they are called, and its own numbers."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline.reporting.figures.grounds import words
from pipeline.study import Figure

KINDS = ("line", "scatter", "bar", "heatmap", "pictures")
GRIDS = "heatmap", "pictures"
"""Kinds that show ``hue`` in cells of x and y."""


def chosen(figure: Figure, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows and columns that the figure shows; what is not finite stays out."""
    kept = _kept(figure, rows)
    return kept[_finite(figure, kept)].reset_index(drop=True)


def hidden(figure: Figure, rows: pd.DataFrame) -> int:
    """Count the values that cannot be shown: missing, not finite, or, on a log axis, not above 0.

    Rows without an x (in a grid, without x and y) do not count; in a grid, cells are counted.
    """
    kept = _kept(figure, rows)
    places = [figure.x, figure.y] if figure.kind in GRIDS else [figure.x]
    kept = kept.dropna(subset=places)
    shown = _finite(figure, kept)
    if figure.log_y:
        shown &= pd.to_numeric(kept[measured(figure)]) > 0
    if figure.kind in GRIDS:
        shown = shown.groupby([kept[name] for name in [*groups(figure), *places]]).any()
    return int((~shown).sum())


def measured(figure: Figure) -> str:
    """Return the column whose values the figure shows."""
    if figure.kind not in KINDS:
        raise ValueError(f"{figure.name}: {figure.kind!r} is none of: {', '.join(KINDS)}")
    if figure.kind not in GRIDS:
        return figure.y
    if figure.hue is None:
        raise ValueError(
            f"{figure.name}: a {figure.kind} figure needs hue, the column of its cells' values"
        )
    return figure.hue


def called(figure: Figure, column: str | None) -> str:
    """Return what a column is called."""
    return figure.labels.get(column, column.replace("_", " ")) if column else ""


def groups(figure: Figure) -> list[str]:
    """Return the columns that tell series and panels apart."""
    hue = None if figure.kind in GRIDS else figure.hue
    return [name for name in (figure.row, figure.column, hue) if name]


def values(data: pd.DataFrame, name: str | None) -> list[Any]:
    """Return the values of a column: numbers in order, words as they come; [None] for no column."""
    if name is None:
        return [None]
    distinct = data[name].drop_duplicates()
    return (distinct.sort_values() if are_numbers(distinct) else distinct).tolist()


def are_numbers(column: pd.Series) -> bool:
    """Return whether a column holds numbers; booleans do not count."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def coincide(figure: Figure, part: pd.DataFrame) -> bool:
    """Return whether two curves of a panel lie within 1 % of its height of each other."""
    if figure.hue is None or part.empty:
        return False
    curves = part.pivot_table(index=figure.x, columns=figure.hue, values=figure.y)
    if figure.log_y:
        curves = curves.where(curves > 0).map(math.log)
    at = curves.to_numpy(dtype=float).T
    near = (np.fmax.reduce(at, axis=None) - np.fmin.reduce(at, axis=None)) / 100
    pairs = itertools.combinations(at, 2)
    return any(np.fmax.reduce(np.abs(one - other)) <= near for one, other in pairs)


def numbers(figure: Figure, rows: pd.DataFrame) -> dict[str, float]:
    """Return each series' mean over seeds: of a line's last x, of other kinds over all values."""
    data, by, value = chosen(figure, rows), groups(figure), measured(figure)
    if figure.kind == "pictures":
        return {"pictures": float(len(data))}
    if figure.kind == "line" and len(data):
        ends = data.groupby(by)[figure.x].transform("max") if by else data[figure.x].max()
        data = data[data[figure.x] == ends]
    if not by:
        return {value: float(data[value].mean())}
    means = data.groupby(by, sort=False)[value].mean().reset_index()
    keys = means[by].map(words).agg(" ".join, axis=1)
    return dict(zip(keys, means[value].tolist(), strict=True))


def _kept(figure: Figure, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows and columns that the figure uses; a missing group name becomes "none"."""
    kept = rows
    for name, wanted in figure.where.items():
        kept = kept[kept[name].isin(wanted if isinstance(wanted, tuple) else (wanted,))]
    extra = [n for n in (figure.hue, figure.theory, "seed" if "seed" in rows else None) if n]
    kept = kept[list(dict.fromkeys([*groups(figure), figure.x, figure.y, *extra]))]
    unnamed = [name for name in groups(figure) if kept[name].isna().any()]
    return kept.assign(**{name: kept[name].astype(object).fillna("none") for name in unnamed})


def _finite(figure: Figure, kept: pd.DataFrame) -> pd.Series:
    if figure.kind == "pictures":
        return kept[measured(figure)].notna()
    return pd.to_numeric(kept[measured(figure)]).abs() < math.inf
