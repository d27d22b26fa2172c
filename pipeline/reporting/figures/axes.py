"""The axes of charts: linear and logarithmic ones for numbers, and ordered ones for words."""

import json
import math
from typing import Any

import altair as alt
import pandas as pd

from pipeline.reporting.figures.choice import are_numbers, called, values
from pipeline.reporting.figures.grounds import words
from pipeline.study import Figure

NUMBER = (
    "datum.value != 0 && (abs(datum.value) >= 1e7 || abs(datum.value) < 1e-3) "
    "? format(datum.value, '.2~e') : format(datum.value, ',.10~g')"
)
"""How an axis writes a number, in Vega's language."""
SHORT = NUMBER.replace(",.10~g", ",.3~g").replace(".2~e", ".1~e")
"""How a colour legend writes a number, more briefly."""
FEW = 8
"""The most values that a logarithmic axis marks one by one, if all are round numbers."""
LEVEL = 50
"""The most characters of all labels below an axis that are set horizontally."""


def across(figure: Figure, data: pd.DataFrame) -> alt.X:
    """Return the horizontal channel: a scale for numbers, else words in their order."""
    title, found = called(figure, figure.x), values(data, figure.x)
    if figure.kind == "bar" or not are_numbers(data[figure.x]):
        names = {json.dumps(v): figure.labels.get(v, words(v)) for v in map(plain, found)}
        said = " : ".join(f"datum.value === {k} ? {json.dumps(v)}" for k, v in names.items())
        level = sum(map(len, names.values())) <= LEVEL
        axis = alt.Axis(labelExpr=f"{said} : datum.label", labelAngle=0 if level else -35)
        return alt.X("x:N", sort=[plain(v) for v in found], title=title, axis=axis)
    scale = along(figure.log_x, data[figure.x])
    if figure.log_x and len(found) <= FEW and all(map(_is_round, found)):
        scale["axis"] = numbered(values=[plain(v) for v in found])
    return alt.X("x:Q", title=title, **scale)


def along(log: bool, numbers: pd.Series, decades: int = 2, panels: bool = False) -> dict[str, Any]:
    """Return scale and axis of some numbers; a logarithmic axis is marked at round numbers.

    These are powers of ten or, over at most so many ``decades``, also 2 and 5 times them. With
    several ``panels``, whose scales may differ, each panel's marks follow from its own values.
    """
    if not log:
        scale = alt.Scale(zero=False, nice=False, padding=8)
        return {"scale": scale, "axis": numbered(tickCount=6, labelOverlap="parity")}
    seen = numbers[numbers > 0].map(math.log10)
    low, high = math.floor(seen.min()), math.ceil(seen.max())
    step = max(1, math.ceil((high - low) / 7))
    at = [float(f"1e{power}") for power in range(low, high + 1, step)]
    if high - low <= decades:
        marks = (1, 2, 5) if seen.max() - seen.min() > 0.7 else (1, 1.5, 2, 3, 4, 5, 7)
        at = [float(f"{k}e{power}") for power in range(low, high + 1) for k in marks]
    scale = alt.Scale(type="log", nice=False, padding=8)
    if panels:
        own = f"datum.label === '' ? '' : {NUMBER}"  # those that a logarithm's axis would write
        return {"scale": scale, "axis": numbered(tickCount=5, labelExpr=own)}
    return {"scale": scale, "axis": numbered(values=at)}


def in_order(figure: Figure, data: pd.DataFrame, column: str) -> dict[str, Any]:
    """Return order, title and axis of a heat map's column, with as many labels as fit."""
    said = NUMBER if are_numbers(data[column]) else "datum.label"
    axis = alt.Axis(labelOverlap="greedy", labelExpr=said, labelAngle=0, grid=False)
    order = [plain(v) for v in values(data, column)]
    return {"sort": order, "title": called(figure, column), "axis": axis}


def numbered(**more: Any) -> alt.Axis:
    """Return an axis of numbers."""
    look = {"labelExpr": NUMBER, "labelOverlap": "greedy", "labelSeparation": 5}
    return alt.Axis(**(look | more))


def _is_round(value: float) -> bool:
    """Return whether a value is round: a whole number, or of at most three significant digits."""
    return float(value).is_integer() or float(f"{value:.3g}") == value


def kind_of(column: pd.Series) -> str:
    """Return what a channel's values are to Vega: quantities or names."""
    return "Q" if are_numbers(column) else "N"


def plain(value: Any) -> Any:
    """Return a value of a table as Python's own."""
    return value.item() if hasattr(value, "item") else value
