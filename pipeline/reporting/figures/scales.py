"""Scales, ticks, common limits and the legend of a figure's panels."""

import math
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    StrMethodFormatter,
)

from pipeline.reporting.figures.grounds import words
from pipeline.study import Figure

NUMBERS = FuncFormatter(lambda value, _: words(float(value)))


def scale(figure: Figure, grid: Any, ticks: list[str], values: list[float]) -> None:
    """Set scales, ticks and common limits."""
    for axes in grid.flat:
        if ticks:
            axes.set_xticks(range(len(ticks)), ticks)
            axes.grid(False, axis="x")
        elif figure.log_x:
            _log(axes.xaxis, values)
        if figure.log_y:
            _log(axes.yaxis, [])
        axes.margins(x=0.04)
        _thousands(axes.yaxis)
        if not ticks:
            _thousands(axes.xaxis)
    limits = [axes.get_ylim() for axes in grid.flat]
    if _comparable(limits, figure.log_y):
        for axes in grid.flat:
            axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))


def _log(axis: Any, values: list[float]) -> None:
    """Make an axis logarithmic, with plain numbers, at the values themselves if they are few."""
    scale = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    scale("log", nonpositive="mask")
    low, high = axis.get_view_interval()
    some = LogLocator(numticks=7) if high > 50 * low else LogLocator(subs=(1, 2, 5))
    axis.set_major_locator(FixedLocator(values) if 0 < len(values) <= 8 else some)
    axis.set_major_formatter(NUMBERS)
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _thousands(axis: Any) -> None:
    """Separate the thousands on a linear axis that has any; millions leave room for few numbers."""
    most = max(map(abs, axis.get_view_interval()))
    if axis.get_scale() != "linear" or most < 1000:
        return
    if most < 1e6:
        axis.set_major_formatter(NUMBERS)
    else:
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.set_major_locator(MaxNLocator(4))


def _comparable(limits: list[tuple[float, float]], log: bool) -> bool:
    """Return whether a common scale leaves each panel at least a third of its height."""
    ends = [(math.log(low), math.log(high)) if log else (low, high) for low, high in limits]
    whole = max(high for _, high in ends) - min(low for low, _ in ends)
    return all(high - low >= whole / 3 for low, high in ends)


def legend(figure: Figure, canvas: Canvas, grid: Any, heading: str) -> None:
    """Say above the panels what the series are."""
    handles, names = grid.flat[0].get_legend_handles_labels()
    if figure.theory and figure.kind != "bar":
        handles.append(Line2D([], [], color=mpl.rcParams["text.color"], lw=1.2, dashes=(4, 3)))
        names.append("theory")
    if len(names) > 1:
        fitting = max(2, round(canvas.get_figwidth() * 14 / max(map(len, names))))
        _set(canvas, handles, names, heading, min(len(names), fitting))


def _set(canvas: Canvas, handles: list[Any], names: list[str], heading: str, columns: int) -> None:
    """Place the legend in so many columns, or in fewer if it would be cut off at the edge."""
    look: dict[str, Any] = {"title": heading, "alignment": "left", "loc": "outside upper left"}
    placed = canvas.legend(handles, names, ncols=columns, **look)
    if columns > 1 and placed.get_window_extent().width > canvas.bbox.width:
        placed.remove()
        _set(canvas, handles, names, heading, columns - 1)
