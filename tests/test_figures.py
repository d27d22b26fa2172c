"""Figures: each is drawn, twice, with its names, and says what it leaves out."""

import base64
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest

from pipeline.reporting.exhibits import exhibit
from pipeline.reporting.figures import DARK, LIGHT, draw, hidden, words
from pipeline.study import Figure, Part, Table, single
from tests.reporting import DOC, FIGURES, FULL, Elements, Forgetting, built, expects


@pytest.fixture(scope="module")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return built(tmp_path_factory.mktemp("report"), FULL)


def test_every_declared_figure_is_drawn_on_a_light_and_on_a_dark_ground(
    report_of: tuple[str, Path],
):
    page, folder = Elements(report_of[0]), report_of[1]
    shown = {i["src"] for i in page.all("img")} | {s["srcset"] for s in page.all("source")}
    for figure in FIGURES:
        for ground in (LIGHT, DARK):
            file = folder / "figures" / f"{figure.name}{ground.suffix}.svg"
            assert 2_000 < file.stat().st_size < 200_000
            assert ground.paper in file.read_text(encoding="utf-8")
            ET.fromstring(file.read_text(encoding="utf-8"))
            data = base64.b64encode(file.read_bytes()).decode()
            assert f"data:image/svg+xml;base64,{data}" in shown
        assert figure.title in page.text
        assert len(pd.read_csv(folder.parent / "plots" / folder.name / f"{figure.name}.csv")) > 0
    for source in page.all("source"):
        assert "prefers-color-scheme: dark" in source["media"]
    for image in page.all("img"):
        assert "against" in image["alt"]


def test_a_large_heat_map_is_readable_and_counts_cells_alone():
    figure = Figure("map", "Map", "All.", "x", "y", hue="value", kind="heatmap", log_y=True)
    cells = [{"x": x, "y": y, "value": 10.0 ** (x - y)} for x in range(50) for y in range(32)]
    others = [{"x": None, "y": None, "value": None}] * 1600
    rows = pd.DataFrame([*cells, *({**cell, "value": None} for cell in cells), *others])
    assert hidden(figure, rows) == 0, "every cell has a value, other rows have no place"
    svg = draw(figure, rows)[""]
    places = set(re.findall(r">(\d+)<", svg))
    assert len(places) < 40
    assert "stroke-width: 1.2" not in svg, "lines would swallow the cells"
    colours = set(re.findall(r"fill: (#[0-9a-f]{6})", svg))
    assert len(colours) > 30, "80 decades are told apart"
    rows.loc[rows["x"] == 3, "value"] = -1.0
    assert hidden(figure, rows) == 32


def test_a_figure_shows_the_names_its_labels_give(report_of: tuple[str, Path]):
    svg = (report_of[1] / "figures" / "growth.svg").read_text(encoding="utf-8")
    for text in ("units n", "the fast rule", "theory", "deep: True, word: early", ">10<", ">40<"):
        assert text in svg, text


def test_nothing_in_a_picture_is_named_by_a_hash_and_every_name_is_there(
    report_of: tuple[str, Path],
):
    for file in sorted((report_of[1] / "figures").iterdir()):
        svg = file.read_text(encoding="utf-8")
        names = re.findall(r' id="([^"]+)"', svg)
        assert not [name for name in names if re.search(r"[0-9a-f]{10}", name)]
        assert len(names) == len(set(names))
        assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg)) <= set(names)


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


def test_every_colour_of_a_picture_is_one_of_its_ground_or_of_its_map(report_of: tuple[str, Path]):
    for figure in FIGURES:
        pictures = []
        for ground, other in ((LIGHT, DARK), (DARK, LIGHT)):
            file = report_of[1] / "figures" / f"{figure.name}{ground.suffix}.svg"
            pictures.append(file.read_text(encoding="utf-8"))
            seen = set(re.findall("#[0-9a-f]{6}", pictures[-1]))
            assert {*ground.own[:3]} <= seen
            assert not seen & {*other.own, *other.colours} - {"#ffffff"}
            assert not [colour for colour in seen if colour.startswith("#0a")], "they stand in"
        light, dark = (re.sub("#[0-9a-f]{6}", "", picture) for picture in pictures)
        assert light == dark, "nothing but colours differs"


@pytest.mark.parametrize("kind", ["line", "scatter", "bar"])
def test_a_panel_without_one_of_the_series_is_drawn(kind: str):
    rows = pd.DataFrame({"x": [1, 2, 1], "y": [1.0, 2.0, 3.0], "hue": [*"aab"], "panel": [*"ppq"]})
    figure = Figure("some", "", "", "x", "y", hue="hue", column="panel", kind=kind, theory="y")
    svg = draw(figure, rows)[""]
    assert "panel: p" in svg
    assert "panel: q" in svg


def test_a_legend_of_many_long_names_stays_within_the_picture():
    names = [f"algorithm({i}, {i})" for i in range(10, 22)]
    rows = pd.DataFrame([{"x": x, "y": x, "hue": name} for name in names for x in (1, 2)])
    picture = ET.fromstring(draw(Figure("some", "", "", "x", "y", hue="hue"), rows)[""])
    width = float(picture.attrib["width"].removesuffix("pt"))
    starts = {t.text: float(t.attrib["x"]) for t in picture.iter() if t.text in names}
    assert list(starts) == names
    # A letter of the legend is at least 4 points wide.
    assert max(start + 4 * len(name) for name, start in starts.items()) < width


def test_thousands_and_millions_are_written_out_on_a_linear_axis():
    rows = pd.DataFrame({"x": [0, 1_500_000], "y": [0, 4_000]})
    svg = draw(Figure("some", "", "", "x", "y"), rows)[""]
    for number in ("500,000", "1,000,000", "1,500,000", "2,000"):
        assert f">{number}<" in svg, number


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


def test_a_table_too_wide_for_half_of_the_page_takes_all_of_it():
    rows = pd.DataFrame({"rule": ["bptt"], "loss": [0.25], "missing": [float("nan")]})
    wide = rows.assign(**{f"of cell {i}": "1.000 ± 0.000" for i in range(7)})
    halves = [exhibit(Table("some", "", "", lambda _, of=t: of), rows).across for t in (rows, wide)]
    assert halves == [1, 2]
