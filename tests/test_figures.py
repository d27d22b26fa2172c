"""Figures: each is drawn, twice, with its names, and says what it leaves out."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pytest

from pipeline.reporting.exhibits import exhibit
from pipeline.reporting.figures import DARK, LIGHT, draw, hidden, words
from pipeline.reporting.figures.drawing import Drawn
from pipeline.reporting.figures.grounds import Series
from pipeline.study import Figure, Part, Table, single
from tests.reporting import DOC, FIGURES, FULL, Elements, Forgetting, built, expects

CHARTS = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return built(tmp_path_factory.mktemp("report"), FULL)


def test_every_declared_figure_is_a_chart_over_a_still_picture_and_two_files(
    report_of: tuple[str, Path],
):
    page, folder = Elements(report_of[0]), report_of[1]
    stills = [of for of in page.all("div") if of.get("class") == "still"]
    assert all("against" in still["aria-label"] for still in stills)
    charts = [json.loads(text) for text in CHARTS.findall(report_of[0])]
    assert len(charts) == len(FIGURES)
    assert len(stills) == len(FIGURES) + 1, "one more heads the page"
    for figure, chart in zip(FIGURES, charts, strict=True):
        assert "vega-lite" in chart["spec"]["$schema"]
        svg = (folder / "figures" / f"{figure.name}.svg").read_text(encoding="utf-8")
        assert 2_000 < len(svg) < 200_000
        ET.fromstring(svg)
        assert LIGHT.own[1] in svg
        png = (folder / "figures" / f"{figure.name}.png").read_bytes()
        assert png.startswith(b"\x89PNG")
        assert figure.title in page.text
        assert len(pd.read_csv(folder.parent / "plots" / folder.name / f"{figure.name}.csv")) > 0


def test_a_chart_tells_value_interval_range_runs_and_command(report_of: tuple[str, Path]):
    growth = json.loads(CHARTS.findall(report_of[0])[0])["spec"]
    told = growth["data"]["values"]
    (first, *_) = [row for row in told if row["kind"] == 0]
    assert (first["y"], first["low"], first["high"]) == (102.5, 100, 105)
    assert first["half"] == pytest.approx(31.8, abs=0.1)
    assert first["seeds"] == 2
    assert len([row for row in told if row["kind"] == 1]) == 2 * len(
        [row for row in told if row["kind"] == 0]
    ), "every seed can be shown"
    assert "python -m pipeline run forgetting --scale quick" in json.dumps(growth)
    named = {param["name"] for param in _params(growth)}
    assert named == {"toggled", "zoom", "every_seed"}


def _params(spec: Any) -> Iterator[dict[str, Any]]:
    """Yield all parameters of a chart and its layers."""
    if isinstance(spec, dict):
        yield from spec.get("params", [])
        for inner in spec.values():
            yield from _params(inner)
    elif isinstance(spec, list):
        for inner in spec:
            yield from _params(inner)


def test_a_large_heat_map_is_readable_and_counts_cells_alone():
    figure = Figure("map", "Map", "All.", "x", "y", hue="value", kind="heatmap", log_y=True)
    cells = [{"x": x, "y": y, "value": 10.0 ** (x - y)} for x in range(50) for y in range(32)]
    others = [{"x": None, "y": None, "value": None}] * 1600
    rows = pd.DataFrame([*cells, *({**cell, "value": None} for cell in cells), *others])
    assert hidden(figure, rows) == 0, "every cell has a value, other rows have no place"
    svg = draw(figure, rows).svg
    places = set(re.findall(r">(\d+)<", svg))
    assert 4 < len(places) < 60
    colours = set(re.findall(r"fill=\"(rgb\([^)]+\))", svg))
    assert len(colours) > 30, "80 decades are told apart"
    rows.loc[rows["x"] == 3, "value"] = -1.0
    assert hidden(figure, rows) == 32


def test_a_figure_shows_the_names_its_labels_give(report_of: tuple[str, Path]):
    svg = (report_of[1] / "figures" / "growth.svg").read_text(encoding="utf-8")
    for text in ("units n", "the fast rule", "deep: True", "word: early", ">10<", ">40<"):
        assert text in svg, text


def test_no_two_parts_of_a_page_have_one_name_and_every_name_is_there(
    report_of: tuple[str, Path],
):
    names = re.findall(r' id="([^"]+)"', report_of[0])
    first = {name for name in names if names.count(name) > 1}
    assert all(name.startswith("forgetting-") for name in first), "the first figure stands twice"
    assert set(re.findall(r"url\(#([^)]+)", report_of[0])) <= set(names)


def test_a_line_is_summed_up_by_its_end_and_the_rest_by_the_mean(report_of: tuple[str, Path]):
    shown = json.loads((report_of[1] / "summary.json").read_text(encoding="utf-8"))["shown"]
    assert set(shown) == {figure.name for figure in FIGURES} | {"means"}
    fast = (10**2 + 20**2 + 40**2) / 3 * 1.025
    assert shown["curves"]["fast"] == pytest.approx(100 * fast)
    assert shown["points"]["fast"] == pytest.approx(37 * fast)
    assert shown["growth"]["True early fast"] == pytest.approx(40**2 * 1.025)


def test_values_that_are_not_finite_are_counted_and_left_out(report_of: tuple[str, Path]):
    assert "2 values, missing or not finite, are not shown." in report_of[0]
    assert (
        pd.read_csv(report_of[1].parent / "plots" / report_of[1].name / "curves.csv")["value"]
        .notna()
        .all()
    )


def test_every_colour_of_a_picture_is_a_grounds_or_its_maps(report_of: tuple[str, Path]):
    for chart in map(json.loads, CHARTS.findall(report_of[0])):
        standing = set(re.findall("#0a[0-2][0-9a-f]{3}", json.dumps(chart["spec"])))
        assert standing == set(chart["colours"])
        for light, dark in chart["colours"].values():
            assert not {light, dark} & standing
    for figure in FIGURES:
        svg = (report_of[1] / "figures" / f"{figure.name}.svg").read_text(encoding="utf-8")
        seen = set(re.findall("#[0-9a-f]{6}", svg))
        assert {*LIGHT.own[:3]} <= seen
        assert not seen & {*DARK.own, *DARK.colours} - {"#ffffff"}
    assert "light-dark(#1d2733,#e6eaef)" in report_of[0]


@pytest.mark.parametrize("kind", ["line", "scatter", "bar"])
def test_a_panel_without_one_of_the_series_is_drawn(kind: str):
    rows = pd.DataFrame({"x": [1, 2, 1], "y": [1.0, 2.0, 3.0], "hue": [*"aab"], "panel": [*"ppq"]})
    figure = Figure("some", "", "", "x", "y", hue="hue", column="panel", kind=kind, theory="y")
    svg = draw(figure, rows).svg
    assert "panel: p" in svg
    assert "panel: q" in svg


def test_a_legend_of_many_long_names_stays_within_the_picture():
    names = [f"algorithm({i}, {i})" for i in range(10, 22)]
    rows = pd.DataFrame([{"x": x, "y": x, "hue": name} for name in names for x in (1, 2)])
    picture = ET.fromstring(draw(Figure("some", "", "", "x", "y", hue="hue"), rows).svg)
    width = float(picture.attrib["width"])
    ends = []
    for legend in picture.iter():
        text = legend.text if legend.text in names else None
        if text:
            ends.append(text)
    assert ends == names
    assert width < 700


def test_thousands_and_millions_are_written_out_on_a_linear_axis():
    rows = pd.DataFrame({"x": [0, 1_500_000], "y": [0, 4_000]})
    svg = draw(Figure("some", "", "", "x", "y"), rows).svg
    for number in ("1,000,000", "2,000"):
        assert f">{number}<" in svg, number


def test_a_logarithmic_axis_is_marked_at_values_that_were_chosen_and_not_at_measured_ones():
    figure = Figure(name="some", title="", caption="", x="x", y="y", kind="scatter", log_x=True)
    for x, marked in (([1024, 2048, 8192], True), ([0.686228721, 1.02411, 1.661422], False)):
        chart = draw(figure, pd.DataFrame({"x": x, "y": [1.0, 2.0, 3.0], "seed": 0})).chart
        assert (json.dumps(x)[1:-1].replace(" ", "") in chart.replace(" ", "")) is marked


def test_a_logarithmic_axis_says_how_many_values_lie_below_it():
    rows = pd.DataFrame({"x": [1, 2, 3, 4], "y": [0.0, 2.0, 3.0, -1.0]})
    assert hidden(Figure("log", "", "", "x", "y", log_y=True), rows) == 2
    assert hidden(Figure("linear", "", "", "x", "y"), rows) == 0


def test_a_band_that_spans_more_than_the_seeds_is_called_a_range(report_of: tuple[str, Path]):
    assert "By rule. Line: mean; band: least to most over 2 seeds." in report_of[0]
    assert "One series. Line: mean; band: range." in report_of[0]


def test_a_figure_that_cannot_be_drawn_says_why(tmp_path: Path):
    wrong = Figure("wrong", "Wrong", "", "size", "value", kind="pie")
    with pytest.raises(ValueError, match="wrong: 'pie' is none of: line, scatter, bar, heatmap"):
        built(tmp_path, single(Part(DOC, Forgetting, expects, (wrong,))))


@pytest.mark.parametrize(
    ("value", "text"),
    [(16, "16"), (1_115_394, "1,115,394"), (0.7, "0.7"), (-2.5, "−2.5"), (5000.0, "5,000"),
     (1e-12, "10⁻¹²"), (-3e7, "−3×10⁷"), (0.0, "0"), (True, "True"), ("srn", "srn"),
     (float("-inf"), "−inf")],
)  # fmt: skip
def test_numbers_are_written_short(value: object, text: str):
    assert words(value) == text


def test_the_numbers_of_a_row_go_by_its_words_where_some_have_none() -> None:
    rows = pd.DataFrame({"cell": ["srn", "srn"], "held": ["3 of 3", None], "lag": [20, 10]})
    numbers = exhibit(Table("some", "", "", lambda _: rows), rows).numbers
    assert numbers == {"srn 3 of 3": {"lag": 20}, "srn ": {"lag": 10}}


def test_a_table_too_wide_for_half_of_the_page_takes_all_of_it():
    rows = pd.DataFrame({"rule": ["bptt"], "loss": [0.25], "missing": [float("nan")]})
    wide = rows.assign(**{f"of cell {i}": "1.000 ± 0.000" for i in range(7)})
    halves = [exhibit(Table("some", "", "", lambda _, of=t: of), rows).across for t in (rows, wide)]
    assert halves == [1, 2]


MEASURE = """
import contextlib, os, re, sys
import vl_convert
from pipeline.reporting.figures.drawing import own_fonts
with own_fonts() if sys.argv[1] == "as pages do" else contextlib.nullcontext():
    for font in ("DejaVu Sans", "a font that no machine has"):
        title = {"text": "11 years", "font": font, "fontSize": 40}
        chart = {"data": {"values": [{}]}, "mark": "point", "width": 1, "title": title}
        print(re.search(r'<svg[^>]* width="([^"]+)"', vl_convert.vegalite_to_svg(chart))[1])
print(os.environ["FONTCONFIG_FILE"])
"""


@pytest.mark.parametrize("way", ["plainly", "as pages do"])
def test_the_fonts_of_the_machine_do_not_move_a_picture(tmp_path: Path, way: str):
    (tmp_path / ".fonts").mkdir()
    font = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    shutil.copy(font, tmp_path / ".fonts")
    # Of a machine that has this font and no other.
    machine = {**os.environ, "HOME": str(tmp_path), "FONTCONFIG_FILE": "/none"}
    *measured, left = subprocess.run(
        [sys.executable, "-c", MEASURE, way],
        env=machine,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(measured) == 2
    assert (len(set(measured)) == 1) == (way == "as pages do")
    assert left == "/none", "what this process starts later finds its fonts"


def test_no_two_of_twenty_series_look_the_same():
    styles = Series([f"network {i}" for i in range(20)]).styles().values()
    assert len({(style.colour, style.shape, *style.dashes) for style in styles}) == 20


def test_a_heat_map_gives_each_panel_its_own_columns_and_writes_in_cells_that_have_room():
    figure = Figure("map", "Map", "All.", "x", "y", hue="value", column="task", kind="heatmap")
    rows = pd.DataFrame(
        {"x": x * step, "y": y, "value": 90.5 + y, "task": task}
        for task, step in (("slow", 250), ("fast", 166), ("between", 201))
        for x in range(1, 7)
        for y in range(4)
    )
    chart = draw(figure, rows)
    assert _own_scales(chart) == {"x": "independent"}
    assert chart.svg.count(">92.5<") == 18, "in each cell of that value"
    narrow = pd.concat([rows.assign(x=rows["x"] + more) for more in range(2)])
    assert ">92.5<" not in draw(figure, narrow).svg


def test_a_panel_that_is_level_does_not_keep_the_others_from_one_scale():
    figure = Figure("lines", "Lines", "All.", "x", "y", column="task")
    rows = pd.DataFrame(
        {"x": x, "y": y * x, "task": task}
        for task, y in (("level", 0.0), ("steep", 1.0), ("steeper", 1.2))
        for x in range(5)
    )
    assert _own_scales(draw(figure, rows)) == {}
    rows.loc[rows["task"] == "steeper", "y"] *= 10
    assert _own_scales(draw(figure, rows)) == {"y": "independent"}


def _own_scales(chart: Drawn) -> dict[str, str]:
    """Return the axes of which each panel has its own scale."""
    return json.loads(chart.chart)["spec"]["resolve"]["scale"]
