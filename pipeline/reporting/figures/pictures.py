"""Charts of pictures: in every panel a grid, with a picture in each cell.

A row holds its picture as text, made by ``pipeline.measuring.pictures``.
"""

import base64
import io
from typing import Any

import altair as alt
import pandas as pd
from PIL import Image

from pipeline.measuring.pictures import unpacked
from pipeline.reporting.figures.axes import in_order, kind_of
from pipeline.reporting.figures.choice import called, measured
from pipeline.study import Figure

CELL, GAP = 30, 2
"""The side of a picture's cell, and the gap left free in it, in pixels."""


def size(data: pd.DataFrame, figure: Figure) -> tuple[int, int]:
    """Return width and height of a panel in pixels."""
    return CELL * data[figure.x].nunique(), CELL * data[figure.y].nunique()


def gallery(figure: Figure, data: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    """Return the rows of a chart of pictures and its layers.

    If there are several pictures for one cell, of several seeds, the first is shown.
    """
    of = {"x": figure.x, "y": figure.y, "row": figure.row, "column": figure.column}
    places = {name: data[column] for name, column in of.items() if column}
    told = pd.DataFrame({**places, "url": data[measured(figure)].map(_address)})
    told = told.drop_duplicates([*places]).reset_index(drop=True)
    side = CELL - GAP
    tips = [
        alt.Tooltip(f"{axis}:{kind_of(data[column])}", title=called(figure, column))
        for axis, column in (("x", figure.x), ("y", figure.y))
    ]
    base: Any = alt.Chart().encode(
        x=alt.X("x:O", **in_order(figure, data, figure.x)),
        y=alt.Y("y:O", **in_order(figure, data, figure.y)),
    )
    drawn = base.mark_image(width=side, height=side).encode(url="url:N", tooltip=tips)
    return told, alt.layer(drawn)


def _address(text: str) -> str:
    """Return a picture as a data URL."""
    file = io.BytesIO()
    Image.fromarray(unpacked(text)).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
