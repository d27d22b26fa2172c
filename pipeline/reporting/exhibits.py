"""A declared figure or table and the rows -> the form in which a page shows it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.reporting import figures
from pipeline.reporting.figures import words
from pipeline.study import Figure, Table

HALF, GAP = 68, 2
"""Characters of a line in half of the page's width, and those between two columns of a table."""


@dataclasses.dataclass(frozen=True)
class Exhibit:
    """A figure or a table as a page shows it; if it cannot be shown, ``error`` says why."""

    declared: Figure | Table
    drawn: figures.Drawn | None = None
    """The figure; None of a table, and where there is an error."""
    data: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)
    across: int = 1
    """Panels side by side; for a table, 2 if it is too wide for half of the page."""
    alt: str = ""
    note: str = ""
    numbers: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    error: str = ""


def exhibit(
    declared: Figure | Table, rows: pd.DataFrame, study: str = "", command: str = ""
) -> Exhibit:
    """Draw a figure, or print a table; ``command``, shown with a figure, runs the trials again."""
    if isinstance(declared, Figure):
        return _drawn(declared, rows, study, command)
    return _printed(declared, rows)


def _drawn(figure: Figure, rows: pd.DataFrame, study: str, command: str) -> Exhibit:
    """Draw a figure."""
    data, left = figures.chosen(figure, rows), figures.hidden(figure, rows)
    notes = [_spread(figure, data)]
    why = ", missing, not finite or not above 0," if figure.log_y else ", missing or not finite,"
    what = {"heatmap": "cells", "pictures": "pictures"}.get(figure.kind, "values")
    notes += [f"{words(left)} {what}{why} are not shown."] if left else []
    return Exhibit(
        figure,
        figures.draw(figure, rows, study, command),
        data,
        data[figure.column].nunique() if figure.column else 1,
        _alt(figure),
        " ".join(filter(None, notes)),
        figures.numbers(figure, rows),
    )


def _spread(figure: Figure, data: pd.DataFrame) -> str:
    """Return what a band or a whisker spans, in words; empty if there is none."""
    drawn = {"line": "Line: mean; band", "bar": "Bar: mean; whisker"}.get(figure.kind)
    at = [*figures.groups(figure), figure.x]
    rows, seeds = data.groupby(at).size().max(), data["seed"].nunique() if "seed" in data else 0
    if drawn is None or rows < 2:
        return ""
    return f"{drawn}: least to most over {seeds} seeds." if rows == seeds else f"{drawn}: range."


def _printed(table: Table, rows: pd.DataFrame) -> Exhibit:
    """Build a table; ``numbers`` has each row's numbers under the row's words."""
    data = table.build(rows)
    named = [c for c in data if not pd.api.types.is_numeric_dtype(data[c])]
    values = data.drop(columns=named)
    unique = next(([c] for c in named if data[c].is_unique and data[c].notna().all()), named)
    keys = (
        data[unique].astype(str).fillna("").agg(" ".join, axis=1) if named else data.index.map(str)
    )
    numbers = {key: dict(row) for key, (_, row) in zip(keys, values.iterrows(), strict=True)}
    numbers = numbers if len(values.columns) else {}
    return Exhibit(table, data=data, across=_across(data), numbers=numbers)


def _across(data: pd.DataFrame) -> int:
    """Return how many halves of the page's width a table takes, by its longest cells: 1 or 2."""
    longest = [max(map(len, (str(c), *map(cell, data[c])))) for c in data]
    return 1 if sum(longest) + GAP * len(longest) <= HALF else 2


def cell(value: Any) -> str:
    """Return a table's entry as it is printed."""
    if pd.isna(value):
        return "–"
    return words(float(f"{value:.4g}")) if isinstance(value, float) else words(value)


def _alt(figure: Figure) -> str:
    """Return a figure's alternative text, for readers who cannot see it."""
    kind = {"line": "Line chart", "scatter": "Scatter chart", "bar": "Bar chart"}
    kind["pictures"] = "Pictures"
    by = [figures.called(figure, c) for c in (figure.hue, figure.column, figure.row) if c]
    drawn = f"{figures.called(figure, figure.y)} against {figures.called(figure, figure.x)}"
    split = f", by {' and '.join(by)}" if by else ""
    return f"{kind.get(figure.kind, 'Heat map')}: {drawn}{split}."
