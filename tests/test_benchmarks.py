"""Benchmarks by name: their options, and what those of this part report."""

import json

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import _timing, rtrl
from benchmarks.__main__ import NAMES, main

APP = typer.Typer()
APP.command()(main)


def test_a_benchmark_is_found_by_its_file() -> None:
    of_cells = {"rtrl", "bptt", "approximate", "stream", "peers"}
    named = of_cells | {"alexnet", "trainer", "dispatch", "kills", "probes", "scale"}
    named |= {"tracking", "watch", "language_model", "rbm", "som"}
    assert named == set(NAMES)


@pytest.mark.parametrize("cell", ["srn", "gru"])
def test_rtrl_reports_times_ratios_and_exactness(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_timing, "ROUNDS", 2)
    arguments = ["rtrl", "--json", "--with", "sizes=8", "--with", f"cell={cell}"]
    (row,) = json.loads(CliRunner().invoke(APP, arguments).stdout)
    assert (row["cell"], row["n"], row["batch"]) == (cell, 8, 1)
    assert row["error"] < 1e-12
    assert row["every_times_dense"] == pytest.approx(row["dense_us"] / row["every_us"])
    assert row["dense_of_peak"] == pytest.approx(row["floor_us"] / row["dense_us"])
    assert row["every_under_floor"] == pytest.approx(row["floor_us"] / row["every_us"])


def test_scale_reports_the_worst_error_over_all_decades() -> None:
    arguments = ["scale", "--json", "--with", "algorithms=rtrl", "--with", "cells=gru"]
    rows = json.loads(CliRunner().invoke(APP, arguments).stdout)
    assert [(row["type"], row["decades"], row["cells"]) for row in rows] == [
        ("float64", 600, 1),
        ("float32", 70, 1),
    ]
    for row, rounding in zip(rows, (2.0**-52, 2.0**-23), strict=True):
        assert 0 < max(row["ten"], row["bptt"]) < 8 * rounding
        assert row["holds"]
    assert rows[0]["two"] == "1e-300 to 1e300"


def test_watch_reports_memory_and_tensors_that_do_not_grow() -> None:
    arguments = ["watch", "--json", "--with", "first=2", "--with", "last=4", "--with", "n=4"]
    rows = json.loads(CliRunner().invoke(APP, arguments).stdout)
    assert [row["watched"] == "no" for row in rows] == [True, False]
    for row in rows:
        assert row["tensors_grown"] == row["tensors_4"] - row["tensors_2"] == 0
        assert row["resident_mib_2"] > 0


def test_language_models_report_times_and_their_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_timing, "ROUNDS", 2)
    arguments = ["language_model", "--json", "--with", "types=200", "--with", "units=4"]
    rows = json.loads(CliRunner().invoke(APP, [*arguments, "--with", "steps=1"]).stdout)
    assert [row["model"] for row in rows] == ["words", "characters"]
    assert all(min(row["ours_ms"], row["plain_ms"], row["of_plain"]) > 0 for row in rows)
    assert rows[0]["holds"] == (rows[0]["of_plain"] >= 0.8)


def test_a_table_shows_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtrl, "run", lambda: [{"n": 1, "peak": 1234.5}, {"n": 2, "error": 0.25}])
    shown = CliRunner().invoke(APP, ["rtrl"]).stdout
    assert all(text in shown for text in ("peak", "1,234", "error", "0.25"))


def test_many_rows_are_cut_into_tables_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtrl, "run", lambda: [{"n": n, "said": "[peers]"} for n in range(100, 107)])
    shown = CliRunner().invoke(APP, ["rtrl"]).stdout
    assert all(str(n) in shown for n in range(100, 107))
    assert shown.count("[peers]") == 7


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rtlr"], "did you mean 'rtrl'?"),
        (["rtrl", "--with", "size=8"], "did you mean 'sizes'?"),
        (["rtrl", "--with", "sizes=eight"], "'sizes=eight' cannot be read"),
        (["rtrl", "--with", "device=cqu"], "device 'cqu' is not here: did you mean 'cpu'?"),
        (["bptt", "--with", "cells=grru"], "did you mean 'gru'?"),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(arguments: list[str], says: str) -> None:
    ended = CliRunner().invoke(APP, arguments)
    assert isinstance(ended.exception, SystemExit)
    said = str(ended.exception.code)
    assert says in said
    assert "\n" not in said
