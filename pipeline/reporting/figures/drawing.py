"""A declared figure and the rows -> its interactive chart, and its still pictures.

A chart is drawn once, in placeholder colours that a light or a dark ground replaces: see
``grounds``. The same rows give the same bytes: there is no date, no random name, no random
estimate.
"""

import contextlib
import dataclasses
import io
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert
from PIL import Image

from pipeline.reporting.figures.choice import GRIDS, are_numbers, called, chosen, values
from pipeline.reporting.figures.grounds import (
    GRID,
    INK,
    MUTED,
    PAPER,
    Series,
    on_both,
    on_paper,
    words,
)
from pipeline.reporting.figures.marks import Marks, cells
from pipeline.reporting.figures.pictures import gallery, size
from pipeline.study import Figure

FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
"""The fonts of the page."""

FOUND_BY = "FONTCONFIG_FILE"
"""The variable by which vl-convert finds fonts, once, when a process first draws."""


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A figure as a chart and as pictures."""

    chart: str
    """The chart for the page's script, as JSON: its specification, its colours on both grounds."""
    inline: str
    """SVG whose colours follow the page's colour scheme, for readers without scripts."""
    svg: str
    """SVG on the light ground."""
    png: bytes
    """The same as PNG."""


def draw(figure: Figure, rows: pd.DataFrame, study: str = "", command: str = "") -> Drawn:
    """Draw a figure.

    ``command``, shown in a point's tooltip, runs the trials again. ``study`` makes the names in the
    SVG distinct from those in the other pictures of a page.
    """
    series = _series(figure, rows)
    specification = _chart(figure, rows, series, command).to_dict(validate=False)
    text = json.dumps(specification, ensure_ascii=False, separators=(",", ":"))
    colours = series.standing_in(text)
    with own_fonts():
        drawn = vl_convert.vegalite_to_svg(text, vl_version="6.1")
    picture = _numbered(drawn, f"{study}-{figure.name}-".lstrip("-"))
    svg = on_paper(picture, colours)
    return Drawn(
        json.dumps({"spec": specification, "colours": colours}, ensure_ascii=False)
        .replace("</", "<\\/")
        .replace("<!--", "<\\!--"),
        on_both(picture, colours),
        svg,
        _pixels(svg),
    )


@contextlib.contextmanager
def own_fonts() -> Iterator[None]:
    """Draw by vl-convert's own fonts alone: the machine's would make labels wider or narrower.

    The variable is put back: a browser that this process starts needs the machine's fonts.
    """
    before = os.environ.get(FOUND_BY)
    os.environ[FOUND_BY] = str(Path(__file__).with_name("fonts.conf"))
    try:
        yield
    finally:
        if before is None:
            del os.environ[FOUND_BY]
        else:
            os.environ[FOUND_BY] = before


def _pixels(svg: str) -> bytes:
    """Return the picture as PNG of 128 colours, a seventh of the size of Vega's own."""
    with own_fonts():
        large = vl_convert.svg_to_png(svg, scale=2)
    drawn, file = Image.open(io.BytesIO(large)), io.BytesIO()
    few = drawn.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


def _numbered(svg: str, prefix: str) -> str:
    """Return the picture with its ids numbered from 1; Vega's counter never starts again."""
    names: dict[str, str] = {}
    for name in re.findall(r' id="([^"]+)"', svg):
        names.setdefault(name, f"{prefix}{len(names) + 1}")
    svg = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", svg)  # the page's picture is one image
    # Saves a third of a scatter's bytes: default attributes, and digits below a pixel's hundredth.
    svg = svg.replace(' opacity="1"', "")
    svg = re.sub(r"\d+\.\d{3,}(?=[,)])", lambda number: f"{float(number[0]):.2f}", svg)
    svg = svg.replace('font-family="sans-serif"', f'font-family="{FONTS}"')
    if not names:
        return svg
    pattern = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    found = re.compile(rf'(?<=id=")(?:{pattern})(?=")|(?<=url\(#)(?:{pattern})(?=\))')
    return found.sub(lambda match: names[match[0]], svg)


def _series(figure: Figure, rows: pd.DataFrame) -> Series:
    """Return the series of all rows, so that a value looks the same in every figure of them."""
    if figure.hue is None or figure.kind in GRIDS:
        return Series([None])
    shown = values(chosen(figure, rows), figure.hue)
    every = values(rows.dropna(subset=[figure.hue]), figure.hue)
    return Series([*every, *(v for v in shown if v not in every)])


def _chart(figure: Figure, rows: pd.DataFrame, series: Series, command: str) -> alt.TopLevelMixin:
    """Return the whole chart, of one panel or several."""
    data = chosen(figure, rows)
    if figure.log_y and figure.kind not in GRIDS:
        data = data[data[figure.y] > 0]
    if figure.log_x and are_numbers(data[figure.x]):
        data = data[data[figure.x] > 0]
    down, across = values(data, figure.row), values(data, figure.column)
    wide, high = _size(len(down), len(across))
    if figure.kind == "heatmap":
        told, layers = cells(figure, data, wide)
    elif figure.kind == "pictures":
        (wide, high), (told, layers) = size(data, figure), gallery(figure, data)
    else:
        styles = series.styles()
        look = {value: styles[value] for value in values(data, figure.hue)}
        longest = max(len(figure.labels.get(v, words(v))) for v in look)
        side = max(1, min(len(look), int(wide * len(across) / (7 * longest + 34))))
        marks = Marks(figure, data, look, side, command)
        told, layers = marks.told, marks.layers()
    layers = layers.properties(width=wide, height=high)
    panels: dict[str, Any] = {}
    for name, column, order in (("row", figure.row, down), ("column", figure.column, across)):
        if column:
            label = f"_{name}"
            told[label] = told[name].map(lambda v, of=column: _heading(figure, of, v))
            kind = alt.Row if name == "row" else alt.Column
            sort = [_heading(figure, column, v) for v in order]
            header = alt.Header(title=None, labelFontSize=12, labelFontWeight="bold")
            panels[name] = kind(f"{label}:N", sort=sort, header=header)
    records = _records(told[[name for name in told if name in FIELDS]])
    if panels:
        chart: Any = layers.facet(data=alt.Data(values=records), **panels, spacing=18)
        apart = {"y": not _comparable(figure, told), "x": not _as_wide(figure, told)}
        chart = chart.resolve_scale(**{axis: "independent" for axis, own in apart.items() if own})
    else:
        chart = layers.properties(data=alt.Data(values=records))
    return chart.configure(**_settings())


FIELDS = {
    "x", "y", "low", "high", "half", "theory", "hue", "width", "kind", "seed", "said", "seeds",
    "_row", "_column", "value", "url",
}  # fmt: skip


def _heading(figure: Figure, column: str, value: Any) -> str:
    """Return the heading of a panel."""
    known = figure.labels.get(value) if isinstance(value, str) else None
    return known or f"{called(figure, column)}: {words(value)}"


def _records(told: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dicts, without missing values."""
    return [
        {
            str(name): float(f"{value:.6g}") if isinstance(value, float) else value
            for name, value in row.items()
            if not (isinstance(value, float) and math.isnan(value)) and value is not None
        }
        for row in told.to_dict("records")
    ]


def _size(down: int, across: int) -> tuple[int, int]:
    """Return width and height of a panel in pixels."""
    if down == across == 1:
        return 430, 270
    return max(150, min(300, 960 // across)), 200


def _comparable(figure: Figure, told: pd.DataFrame) -> bool:
    """Return whether, on a common y scale, each panel's values span a third of it, or are equal."""
    if figure.kind in GRIDS or not {"low", "high"} <= set(told):
        return True
    panels = [name for name in ("_row", "_column") if name in told]
    ends = told.dropna(subset=["low", "high"]).groupby(panels).agg({"low": "min", "high": "max"})
    if figure.log_y:
        ends = ends.map(math.log)
    whole = ends["high"].max() - ends["low"].min()
    high = ends["high"] - ends["low"]
    return bool(((high >= whole / 3) | (high == 0)).all())


def _as_wide(figure: Figure, told: pd.DataFrame) -> bool:
    """Return whether, on a common x scale, each panel's values span a third of it, or are equal.

    On a logarithmic axis, a sixth: it has the same marks in all panels, and a narrower panel might
    show none of them. In a grid, each panel needs half of the columns.
    """
    panels = [name for name in ("_row", "_column") if name in told]
    if figure.kind in GRIDS:
        columns = told.groupby(panels)["x"].nunique()
        return bool(columns.min() >= told["x"].nunique() / 2)
    if "x" not in told or not are_numbers(told["x"]):
        return True
    x = told["x"].map(math.log) if figure.log_x else told["x"]
    ends = x.groupby([told[name] for name in panels]).agg(["min", "max"])
    whole = ends["max"].max() - ends["min"].min()
    wide = ends["max"] - ends["min"]
    return bool(((wide >= whole / (6 if figure.log_x else 3)) | (wide == 0)).all())


def _settings() -> Mapping[str, Any]:
    """Return the look of all charts."""
    axis = {
        "domainColor": MUTED, "tickColor": MUTED, "labelColor": MUTED, "gridColor": GRID,
        "titleColor": INK, "titleFontWeight": "normal", "labelFontSize": 11, "titleFontSize": 12,
        "titleLimit": 0, "labelLimit": 220, "titlePadding": 10,
    }  # fmt: skip
    legend = {
        "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "labelFontSize": 11.5,
        "titleFontSize": 11.5, "symbolLimit": 0, "symbolStrokeWidth": 2, "symbolSize": 70,
        "labelLimit": 0, "titleLimit": 0, "columnPadding": 14,
    }  # fmt: skip
    return {
        # No accessible name for each of a thousand points: the picture has one as a whole.
        "aria": False,
        "mark": {"aria": False},
        "background": PAPER,
        "padding": {"left": 5, "top": 5, "right": 14, "bottom": 5},  # fonts differ in breadth
        "font": "sans-serif",
        "view": {"stroke": None},
        "axis": axis,
        "legend": legend,
        "header": {"labelColor": INK, "titleColor": INK},
        "title": {"color": INK},
    }
