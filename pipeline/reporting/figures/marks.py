"""How one series, or one table of values, is drawn into one panel."""

import dataclasses
import math
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from pipeline.reporting.figures.grounds import INK, MAP, PAPER, Style, words

ACROSS, DOWN = 12, 20
"""Names that the axes have room for."""
CENTRE: dict[str, Any] = {"ha": "center", "va": "center"}


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One series of a panel: its label, its rows, its style, and its place among the others.

    ``breadth``, from 0 to 1, is how far it shows from under the later ones.
    """

    label: str
    rows: pd.DataFrame
    style: Style
    place: int
    of: int
    breadth: float


def line(axes: Axes, s: Drawn, x: str, y: str, theory: str | None) -> None:
    """Draw the mean over seeds, its range as a band, and the theory dashed."""
    by_x = s.rows.groupby(x)[y].agg(["mean", "min", "max"])
    at = list(by_x.index)
    if (by_x["max"] > by_x["min"]).any():
        axes.fill_between(at, by_x["min"], by_x["max"], color=s.style.colour, alpha=0.16, lw=0)
    every = max(1, len(at) // 8)
    axes.plot(
        at,
        by_x["mean"],
        color=s.style.colour,
        dashes=() if theory else s.style.dashes,
        lw=1.8 + 4 * s.breadth,
        marker=s.style.marker,
        markersize=6 + 5 * s.breadth,
        markevery=(s.place * every // s.of, every),
        markeredgecolor=PAPER,
        markeredgewidth=0.7,
        label=s.label,
    )
    _expected(axes, s, x, theory)


def scatter(axes: Axes, s: Drawn, x: str, y: str, theory: str | None) -> None:
    """Draw a point a row, and the theory as a dashed line."""
    axes.scatter(
        s.rows[x],
        s.rows[y],
        s=26,
        color=s.style.colour,
        marker=s.style.marker,
        alpha=0.85,
        edgecolors=PAPER,
        linewidths=0.6,
        label=s.label,
    )
    _expected(axes, s, x, theory)


def bar(axes: Axes, s: Drawn, x: str, y: str, theory: str | None) -> None:
    """Draw each category's mean as a bar, its range as a whisker, the theory as a dashed rung."""
    by_x = s.rows.groupby(x)[y].agg(["mean", "min", "max"])
    width = 0.8 / s.of
    at = by_x.index.to_numpy() + (s.place - (s.of - 1) / 2) * width
    whiskers = [by_x["mean"] - by_x["min"], by_x["max"] - by_x["mean"]]
    axes.bar(
        at,
        by_x["mean"],
        width * 0.94,
        color=s.style.colour,
        hatch=s.style.hatch,
        edgecolor=PAPER,
        linewidth=0,
        yerr=whiskers if (by_x["max"] > by_x["min"]).any() else None,
        error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5},
        label=s.label,
    )
    if theory:
        rungs = s.rows.groupby(x)[theory].mean()
        axes.hlines(rungs, at - width / 2, at + width / 2, colors=INK, linestyles="--")


def _expected(axes: Axes, s: Drawn, x: str, theory: str | None) -> None:
    """Draw the theory over the measured, in a colour between the series' own and ink."""
    if theory:
        expected = s.rows.groupby(x)[theory].mean()
        axes.plot(
            list(expected.index), expected, color=s.style.theory, lw=1.2, dashes=(4, 3), zorder=3
        )


def heatmap(axes: Axes, cells: pd.DataFrame, limits: tuple[float, float], log: bool) -> Any:
    """Draw a table of values as colours, the values written in where there is room.

    Lines between cells are there while cells are larger than these; of many names some stand.
    """
    shades = mpl.colormaps[MAP]
    parted = max(cells.shape) <= DOWN
    norm = LogNorm(*limits) if log and limits[0] > 0 else Normalize(*limits)
    mesh = axes.pcolormesh(cells, cmap=shades, norm=norm, lw=1.2 if parted else 0)
    if parted:
        mesh.set_edgecolor(PAPER)
    axis = (axes.set_xticks, cells.columns, ACROSS), (axes.set_yticks, cells.index, DOWN)
    for place, names, room in axis:
        every = max(1, math.ceil(len(names) / room))
        some = range(0, len(names), every)
        place([i + 0.5 for i in some], [words(names[i]) for i in some])
    axes.grid(False)
    axes.invert_yaxis()
    if cells.size <= 100:
        for (i, j), value in np.ndenumerate(cells.to_numpy(dtype=float)):
            if not math.isnan(value):
                red, green, blue, _ = shades(mesh.norm(value))
                ink = "#ffffff" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.5 else "#111111"
                axes.text(j + 0.5, i + 0.5, words(float(f"{value:.3g}")), color=ink, **CENTRE)
    return mesh
