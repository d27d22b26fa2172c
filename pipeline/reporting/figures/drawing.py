"""A declared figure and the rows -> its picture on a light and on a dark ground.

The same rows give the same bytes: no date, no random names, nothing estimated by chance.
"""

import io
import re
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pipeline.reporting.figures.choice import (
    are_numbers,
    called,
    chosen,
    coincide,
    measured,
    values,
)
from pipeline.reporting.figures.grounds import DARK, LIGHT, Series, Style, settings, words
from pipeline.reporting.figures.marks import Drawn, bar, heatmap, line, scatter
from pipeline.reporting.figures.scales import NUMBERS, legend, scale
from pipeline.study import Figure

DRAW = {"line": line, "scatter": scatter, "bar": bar}
FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
"""What the page itself is set in: an image of text would neither match it nor stay small."""

HASHED = re.compile(r'(?<= id=")\w*[0-9a-f]{10}(?=")')
"""Matplotlib's names of what is drawn more than once."""


def draw(figure: Figure, rows: pd.DataFrame) -> dict[str, str]:
    """Return the figure as SVG on each ground, by the suffix of its file's name."""
    series = _series(figure, rows)
    picture = _picture(figure, rows, series)
    return {ground.suffix: ground.seen(picture, series) for ground in (LIGHT, DARK)}


def _picture(figure: Figure, rows: pd.DataFrame, series: Series) -> str:
    """Return the figure as SVG, in colours that stand for a ground's."""
    data, ticks = _placed(figure, chosen(figure, rows))
    down, across = values(data, figure.row), values(data, figure.column)
    with mpl.rc_context(settings()):
        canvas = Canvas(figsize=_size(len(down), len(across)), layout="constrained")
        grid: Any = canvas.subplots(len(down), len(across), squeeze=False)
        panels = [_panel(figure, data, r, c) for r in down for c in across]
        if figure.kind == "heatmap":
            _heat(figure, canvas, grid, panels)
        else:
            styles = series.styles()
            look = {value: styles[value] for value in values(data, figure.hue)}
            for axes, (_, part) in zip(grid.flat, panels, strict=True):
                _fill(figure, axes, part, look)
            scale(figure, grid, ticks, values(data, figure.x))
            legend(figure, canvas, grid, called(figure, figure.hue))
        for place, (axes, (heading, _)) in enumerate(zip(grid.flat, panels, strict=True)):
            axes.set_title(heading, loc="left")
            if place % len(across) == 0:
                axes.set_ylabel(called(figure, figure.y))
            if place >= grid.size - len(across):
                axes.set_xlabel(called(figure, figure.x))
        return _svg(canvas)


def _placed(figure: Figure, data: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the data with words on the x axis, or a bar chart's values, as 0, 1, 2 ..."""
    if figure.kind == "heatmap" or (are_numbers(data[figure.x]) and figure.kind != "bar"):
        return data, []
    categories = values(data, figure.x)
    place = {value: i for i, value in enumerate(categories)}
    names = [figure.labels.get(v, words(v)) for v in categories]
    return data.assign(**{figure.x: data[figure.x].map(place)}), names


def _panel(figure: Figure, data: pd.DataFrame, row: Any, column: Any) -> tuple[str, pd.DataFrame]:
    """Return a panel's heading and data."""
    heading = []
    for name, value in ((figure.row, row), (figure.column, column)):
        if name is not None:
            data = data[data[name] == value]
            known = figure.labels.get(value) if isinstance(value, str) else None
            heading.append(known or f"{called(figure, name)}: {words(value)}")
    return ", ".join(heading), data


def _series(figure: Figure, rows: pd.DataFrame) -> Series:
    """Return the series of all rows: a value looks the same in every figure of these."""
    if figure.hue is None or figure.kind == "heatmap":
        return Series([None])
    shown = values(chosen(figure, rows), figure.hue)
    every = values(rows.dropna(subset=[figure.hue]), figure.hue)
    return Series([*every, *(v for v in shown if v not in every)])


def _fill(figure: Figure, axes: Axes, part: pd.DataFrame, look: dict[Any, Style]) -> None:
    """Draw the series of one panel; where curves coincide, the earlier are the broader."""
    nested = figure.kind == "line" and coincide(figure, part)
    for place, (value, style) in enumerate(look.items()):
        rows = part if figure.hue is None else part[part[figure.hue] == value]
        name = figure.labels.get(value, words(value)) if figure.hue else "measured"
        breadth = (len(look) - 1 - place) / len(look) if nested else 0
        drawn = Drawn(name, rows, style, place, len(look), breadth)
        DRAW[figure.kind](axes, drawn, figure.x, figure.y, figure.theory)


def _heat(
    figure: Figure,
    canvas: Canvas,
    grid: Any,
    panels: list[tuple[str, pd.DataFrame]],
) -> None:
    """Draw tables of colours on one common scale."""
    value = measured(figure)
    tables = [_table(figure, part, value) for _, part in panels]
    if figure.log_y:
        tables = [table.where(table > 0) for table in tables]
    limits = min(t.min().min() for t in tables), max(t.max().max() for t in tables)
    meshes = [heatmap(a, t, limits, figure.log_y) for a, t in zip(grid.flat, tables, strict=True)]
    canvas.colorbar(meshes[0], ax=grid, label=called(figure, value), shrink=0.9, format=NUMBERS)


def _table(figure: Figure, part: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return the mean value at each x and y, both in the order of ``_values``."""
    table = part.pivot_table(index=figure.y, columns=figure.x, values=value, sort=False)
    return table.reindex(index=values(part, figure.y), columns=values(part, figure.x))


def _size(down: int, across: int) -> tuple[float, float]:
    """Return width and height in inches."""
    return (
        (5.6, 3.8) if down == across == 1 else (max(5.6, min(11.6, 4.3 * across)), 3 * down + 0.8)
    )


def _svg(canvas: Canvas) -> str:
    """Return the picture without its date and its maker, in the page's own type.

    What is drawn more than once matplotlib names by a hash of its place, whose last digits differ
    from processor to processor: here it is numbered.
    """
    file = io.StringIO()
    canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = file.getvalue().replace("'DejaVu Sans'", FONTS)
    numbers = {name: f"shared_{n}" for n, name in enumerate(HASHED.findall(svg), start=1)}
    return re.sub("|".join(numbers), lambda name: numbers[name[0]], svg) if numbers else svg
