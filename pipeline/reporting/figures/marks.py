"""The marks in every panel of a chart: lines, points, bars, or cells."""

import dataclasses
import json
import math
from typing import Any

import altair as alt
import pandas as pd

from pipeline.measuring.statistics import half_widths
from pipeline.reporting.figures.axes import SHORT, across, along, in_order, kind_of, numbered
from pipeline.reporting.figures.choice import called, coincide, measured
from pipeline.reporting.figures.grounds import INK, Style, words
from pipeline.study import Figure

DENSE = 1_000
"""The most rows for which each seed's line can be shown as well."""
WRITTEN_IN, ROOM = 100, 30
"""The most cells of a panel whose values are written in, and their least width in pixels."""
POINT, LINE = 26, 1.8
"""Area of a marker, breadth of a line, in pixels."""
THEORY = " (theory)"
SAID = {
    "said": "format(datum.y, '.4~g') + (datum.half ? ' ± ' + format(datum.half, '.2~g') : '')",
    "span": "format(datum.low, '.4~g') + ' to ' + format(datum.high, '.4~g')",
}
"""The texts in a point's tooltip, in Vega's expression language."""


@dataclasses.dataclass(frozen=True)
class Marks:
    """The marks of a figure of series: lines, points or bars.

    Attributes:
        data: the rows that it shows.
        look: the style of each series, by its value.
        side: how many names are in a line of the legend.
        command: the command that runs the trials again.
    """

    figure: Figure
    data: pd.DataFrame
    look: dict[Any, Style]
    side: int
    command: str

    @property
    def told(self) -> pd.DataFrame:
        """The chart's rows: of kind 0 the points or means, of kind 1 each seed's values."""
        figure, own = self.figure, _named(self.figure, self.data)
        told = (own if figure.kind == "scatter" else _summed(own)).assign(kind=0)
        if self._each:
            told = pd.concat([told, own.assign(kind=1)], ignore_index=True)
        if self._nested:
            last = len(self.look) - 1
            breadth = {v: LINE + 6 * (last - i) / (last + 1) for i, v in enumerate(self.look)}
            told["width"] = told["hue"].map(breadth)
        names = dict(zip(self.look, self._names, strict=True))
        return told.assign(hue=told["hue"].map(names) if figure.hue else self._names[0])

    def layers(self) -> Any:
        """Return the layers of the chart, the topmost last."""
        toggled = alt.selection_point(name="toggled", fields=["hue"], bind="legend", toggle="true")
        base: Any = alt.Chart().encode(
            x=across(self.figure, self.data),
            color=self._colour("hue:N"),
            opacity=alt.condition(toggled, alt.value(1), alt.value(0.08)),
        )
        base = base.transform_calculate(**SAID, again=json.dumps(self.command))
        mean = base.transform_filter("datum.kind === 0")
        drawn = self._bars(mean) if self.figure.kind == "bar" else self._lines(base, mean)
        whole: Any = alt.layer(*drawn).add_params(toggled)
        if kind_of(self.data[self.figure.x]) == "Q" and self.figure.kind != "bar":
            moved = "wheel![event.shiftKey]"
            whole = whole.add_params(alt.selection_interval(name="zoom", bind="scales", zoom=moved))
        if self._each:
            box = alt.binding_checkbox(name="every seed ")
            whole = whole.add_params(alt.param(name="every_seed", value=False, bind=box))
        return whole

    def _lines(self, base: Any, mean: Any) -> list[Any]:
        """Return the layers of bands, means, seeds, points, and theory."""
        drawn, points = [], mean.mark_point(filled=True, size=POINT, fillOpacity=0.85)
        if self.figure.kind == "line":
            dashes = self._by([list(style.dashes) for style in self.look.values()])
            line = mean.mark_line(strokeWidth=LINE).encode(
                y=self._y, strokeDash=alt.StrokeDash("hue:N", scale=dashes, legend=self._legend)
            )
            if self._nested:
                breadth = alt.StrokeWidth("width:Q", scale=None, legend=None)
                line = line.encode(strokeWidth=breadth)
            band = mean.mark_area(fillOpacity=0.16).encode(y=alt.Y("low:Q"), y2="high:Q")
            drawn += [band, line]
            if self._each:
                own = base.transform_filter("datum.kind === 1 && every_seed")
                drawn.append(own.mark_line(strokeWidth=0.7).encode(y="y:Q", detail="seed:N"))
        shapes = self._by([style.shape for style in self.look.values()])
        shape = alt.Shape("hue:N", scale=shapes, legend=self._legend)
        drawn.append(points.encode(y=self._y, shape=shape, tooltip=self._tips))
        if self.figure.theory:
            said = mean.transform_calculate(of=f"datum.hue + {json.dumps(THEORY)}")
            line = said.mark_line(strokeWidth=1.4, strokeDash=[4, 3])
            drawn.append(line.encode(y="theory:Q", color=self._colour("of:N")))
        return drawn

    def _bars(self, mean: Any) -> list[Any]:
        """Return the layers of bars, whiskers, and ticks for theory."""
        beside = {}
        if len(self._names) > 1:
            beside = {"xOffset": alt.XOffset("hue:N", sort=self._names)}
        ink = alt.value(INK)
        drawn = [
            mean.mark_bar().encode(y=self._y, tooltip=self._tips, **beside),
            mean.mark_rule(strokeWidth=1.2).encode(y="low:Q", y2="high:Q", color=ink, **beside),
        ]
        if self.figure.theory:
            rung = mean.mark_tick(thickness=2, strokeDash=[4, 3])
            drawn.append(rung.encode(y="theory:Q", color=ink, **beside))
        return drawn

    @property
    def _names(self) -> list[str]:
        """The printed names of the series."""
        labels = self.figure.labels
        return [labels.get(v, words(v)) if self.figure.hue else "measured" for v in self.look]

    @property
    def _each(self) -> bool:
        """Whether each seed's line can be shown as well."""
        several = "seed" in self.data and self.data["seed"].nunique() > 1
        return self.figure.kind == "line" and several and len(self.data) <= DENSE

    @property
    def _nested(self) -> bool:
        """Whether curves coincide, so that earlier ones are drawn broader, to be seen below."""
        return self.figure.kind == "line" and coincide(self.figure, self.data)

    @property
    def _legend(self) -> alt.Legend | None:
        if len(self._names) == 1:
            return None
        title = called(self.figure, self.figure.hue) or None
        return alt.Legend(orient="top", title=title, columns=self.side, values=self._names)

    def _by(self, own: list[Any], of_theory: list[Any] | None = None) -> alt.Scale:
        """Return a scale of series' styles; all have one domain, so that they share a legend."""
        names = self._names
        kinds = names + [name + THEORY for name in names] if self.figure.theory else names
        return alt.Scale(domain=kinds, range=[*own, *(of_theory or own)][: len(kinds)])

    def _colour(self, of: str) -> alt.Color:
        styles = self.look.values()
        scale = self._by([s.colour for s in styles], [s.theory for s in styles])
        return alt.Color(of, scale=scale, legend=self._legend)

    @property
    def _y(self) -> alt.Y:
        title = called(self.figure, self.figure.y)
        if self.figure.kind == "bar":
            return alt.Y("y:Q", title=title, axis=numbered())
        columns = [name for name in (self.figure.y, self.figure.theory) if name]
        seen = pd.concat([self.data[name] for name in columns])
        panels = bool(self.figure.row or self.figure.column)
        return alt.Y("y:Q", title=title, **along(self.figure.log_y, seen, 4, panels))

    @property
    def _tips(self) -> list[alt.Tooltip]:
        """The entries of a point's tooltip."""
        figure = self.figure
        tips = [alt.Tooltip("hue:N", title=called(figure, figure.hue))] if figure.hue else []
        tips += [
            alt.Tooltip(f"x:{kind_of(self.data[figure.x])}", title=called(figure, figure.x)),
            alt.Tooltip("said:N", title=called(figure, figure.y)),
        ]
        if figure.kind != "scatter":
            tips += [
                alt.Tooltip("span:N", title="least to most"),
                alt.Tooltip("seeds:Q", title="runs"),
            ]
        if self.command:
            tips.append(alt.Tooltip("again:N", title="again"))
        return tips


def cells(figure: Figure, data: pd.DataFrame, wide: int) -> tuple[pd.DataFrame, Any]:
    """Return the rows of a heat map and its layers; all panels share one colour scale.

    Values are written into the cells if there is room in panels ``wide`` pixels wide.
    """
    value, own = measured(figure), _named(figure, data).rename(columns={"hue": "value"})
    by = [name for name in ("row", "column", "x", "y") if name in own]
    told = own.groupby(by, sort=False)["value"].mean().reset_index()
    log = figure.log_y
    if log:
        told = told[told["value"] > 0].reset_index(drop=True)
    told["said"] = told["value"].map(lambda v: words(float(f"{v:.3g}")))
    base: Any = alt.Chart().encode(
        x=alt.X("x:O", **in_order(figure, data, figure.x)),
        y=alt.Y("y:O", **in_order(figure, data, figure.y)),
    )
    title = called(figure, value)
    shade = alt.Color(
        "value:Q",
        title=title,
        scale=alt.Scale(scheme="viridis", type="log" if log else "linear"),
        legend=alt.Legend(orient="right", gradientLength=140, labelExpr=SHORT),
    )
    tips = [
        alt.Tooltip(f"{axis}:{kind_of(data[column])}", title=called(figure, column))
        for axis, column in (("x", figure.x), ("y", figure.y))
    ]
    tips.append(alt.Tooltip("said:N", title=title))
    drawn = [base.mark_rect().encode(color=shade, tooltip=tips)]
    panels = [name for name in ("row", "column") if name in told]
    sizes = told.assign(all=0).groupby(panels or "all")[["x", "y"]].nunique()
    columns, rows = sizes["x"].max(), sizes["y"].max()
    if columns * rows <= WRITTEN_IN and wide >= ROOM * columns:
        ends = [math.log(v) if log else v for v in (told["value"].min(), told["value"].max())]
        middle = math.exp(sum(ends) / 2) if log else sum(ends) / 2
        ink = alt.condition(f"datum.value > {middle}", alt.value("#111111"), alt.value("#ffffff"))
        drawn.append(base.mark_text(fontSize=10).encode(text="said:N", color=ink))
    return told, alt.layer(*drawn)


def _named(figure: Figure, data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with columns named by their role in the chart."""
    of = {
        "x": figure.x,
        "y": figure.y,
        "theory": figure.theory,
        "hue": figure.hue,
        "row": figure.row,
        "column": figure.column,
        "seed": "seed" if "seed" in data else None,
    }
    return pd.DataFrame({name: data[column] for name, column in of.items() if column})


def _summed(own: pd.DataFrame) -> pd.DataFrame:
    """Return each point's mean over seeds, with its range and its interval in words."""
    by = [name for name in ("row", "column", "hue", "x") if name in own]
    grouped = own.groupby(by, sort=False, dropna=False)
    return pd.DataFrame(
        {
            "y": grouped["y"].mean(),
            "low": grouped["y"].min(),
            "high": grouped["y"].max(),
            "seeds": grouped.size(),
            "half": half_widths(grouped["y"]),
            **({"theory": grouped["theory"].mean()} if "theory" in own else {}),
        }
    ).reset_index()
