"""The study of forecasting: no look into the future, its arithmetic, and what it says of rows."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies.forecasting import STUDY
from pipeline.studies.forecasting.counted import RULES, Seen, counted
from pipeline.studies.forecasting.el_nino import KNOWN, TEST
from pipeline.studies.forecasting.runs import Forecasting
from pipeline.studies.forecasting.sunspots import EARLY, LATE, LEAST_SQUARES, VARIANCE
from pipeline.study import Given
from tests.forecasting_study import DATA, MEASURED, SECTION

TRIALS = [
    pytest.param(part, entries, id=f"{part}-{entries['method']}")
    for part in STUDY.parts
    for entries in MEASURED.trials(part)
    if entries["seed"] == 0
]


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_trials_hash_covers_all_that_it_uses(part: str):
    assert not MEASURED.beyond(part)


def _forecasts(entries: dict[str, Any], data: dict[str, Any], tmp_path: Any) -> tuple[Any, Any]:
    """Return all forecasts of a trial, and the scale and weights that they were made with."""
    trial = Forecasting.model_validate({k: v for k, v in entries.items() if k != "part"})
    (series,) = trial.read(Given(data, tmp_path))
    values_N = np.concatenate([series.train_N, series.held_out_N])
    origins_B = np.arange(max(trial.past - 1, 12), len(values_N) - 1)
    seen = Seen(values_N, len(series.train_N), series.per_year, origins_B, trial.horizon)
    if trial.rule is not None:
        return counted(trial.rule, trial.order or 0, seen, trial.anomalies), []
    task, learner, rows = trial._train(series, Given(data, tmp_path))
    settings = [task.mean, task.deviation, task.climatology_M.tolist()]
    settings += [rows, [w.tolist() for w in learner.parameters()]]
    return trial.forecasts(task, learner, seen), settings


@pytest.mark.parametrize(("part", "entries"), TRIALS)
def test_a_later_value_changes_no_bit_of_an_earlier_forecast_nor_of_what_made_it(
    part: str, entries: dict[str, Any], tmp_path: Any
):
    name = str(entries["dataset"])
    series = DATA[name]
    after = 40  # values after the training part, which stay as they are
    later_N = series.held_out_N.clone()
    later_N[after:] += 1000.0
    changed = {name: dataclasses.replace(series, held_out_N=later_N)}
    before, made = _forecasts(entries, {name: series}, tmp_path / "one")
    now, made_now = _forecasts(entries, changed, tmp_path / "other")
    kept = len(before) - (len(series.held_out_N) - after)
    assert np.array_equal(before[:kept], now[:kept])
    assert made == made_now
    if entries["rule"] not in ("mean", "climatology"):
        assert not np.array_equal(before, now), "the later forecasts do see it"


@pytest.mark.parametrize(("part", "entries"), TRIALS)
def test_forecasts_are_judged_against_the_values_so_many_steps_later(
    part: str, entries: dict[str, Any]
):
    rows = pd.DataFrame(MEASURED.run(entries))
    found = rows[rows["record"] == "forecast"]
    horizon, years = int(str(entries["horizon"])), {"1921–1955": 35, TEST: 120}
    assert len(found) == horizon * len(SECTION[part]["intervals"])
    for at, forecasts in years.items():
        assert (found.loc[found["interval"] == at, "forecasts"] == forecasts).all()
    assert found["squared_error"].gt(0).all()


def test_rules_give_what_they_say_of_a_series_of_whole_numbers():
    values_N = np.arange(36.0)
    seen = Seen(values_N, 24, 12, np.array([12, 23, 30]), 13)
    last, period = counted("last", 0, seen, False), counted("period", 0, seen, False)
    assert last[:, 12].tolist() == [12, 23, 30]
    assert period[:, 0].tolist() == [1, 12, 19]
    assert period[:, 11].tolist() == [12, 23, 30]
    assert period[:, 12].tolist() == [1, 12, 19], "two periods ago: one is not seen yet"
    assert counted("mean", 0, seen, False)[0, 0] == 11.5
    climatology = counted("climatology", 0, seen, False)
    assert climatology[:, 0].tolist() == [7, 6, 13]
    persistence = counted("persistence", 0, seen, False)
    assert persistence[:, 0].tolist() == [7 + 6, 6 + 6, 13 + 18]
    assert set(RULES) >= {"ar", "threshold_ar"}


def _rows(of: dict[str, dict[tuple[str, int], float]]) -> pd.DataFrame:
    """Return rows of forecasts with these squared errors, by method, interval and horizon."""
    return pd.DataFrame(
        {"method": method, "seed": seed, "record": "forecast", "interval": interval}
        | {"horizon": h, "squared_error": error * (1 + 0.001 * seed)}
        for method, errors in of.items()
        for (interval, h), error in errors.items()
        for seed in range(2)
    )


def _sunspots(net_early: float, net_late: float) -> pd.DataFrame:
    least = {"AR(9)": (0.1265, 0.3506), "12-8-1": (net_early, net_late)}
    return _rows(
        {m: {(EARLY, 1): a * VARIANCE, (LATE, 1): b * VARIANCE} for m, (a, b) in least.items()},
    )


def test_a_network_has_to_win_early_and_lose_late_by_a_tenth():
    for early, late, says in itertools.product((0.10, 0.12), (0.46, 0.37), (EARLY, LATE)):
        rows = _sunspots(early, late)
        held = early == 0.10 if says == EARLY else late == 0.46
        of = MEASURED.assert_holds if held else MEASURED.assert_missed
        of("sunspots", f"{says}: 12-8-1 is ≥ 10 %", rows)
    MEASURED.assert_holds("sunspots", "published 0.104", _sunspots(0.10, 0.46))
    MEASURED.assert_missed("sunspots", "published 0.104", _sunspots(0.14, 0.46))
    MEASURED.assert_missed("sunspots", "published 0.46", _sunspots(0.10, 0.60))


@pytest.mark.parametrize("method", LEAST_SQUARES)
def test_least_squares_that_differ_in_the_printed_digit_are_missed(method: str):
    printed = {
        (at, 1): float(text) * VARIANCE / 1.0005 for at, text in LEAST_SQUARES[method].items()
    }
    rows = _rows({method: printed})
    exactly = rows.assign(
        squared_error=rows["squared_error"].where(rows["seed"] > 0) * 1.0005 / 1.001
    )
    exactly = exactly.dropna(subset="squared_error")
    MEASURED.assert_holds("sunspots", f"{method} has", exactly)
    off = exactly.assign(squared_error=exactly["squared_error"] + 0.0011 * VARIANCE)
    MEASURED.assert_missed("sunspots", f"{method} has", off)


@pytest.mark.parametrize("method", KNOWN)
def test_what_counts_on_el_nino_is_held_to_the_printed_digit(method: str):
    printed = {(TEST, h): float(text) ** 2 for h, text in KNOWN[method].items()}
    rows = _rows({method: printed})
    rows = rows[rows["seed"] == 0]
    MEASURED.assert_holds("el_nino", f"{method} has", rows)
    MEASURED.assert_missed(
        "el_nino", f"{method} has", rows.assign(squared_error=rows["squared_error"] * 1.01)
    )


def test_a_network_on_el_nino_is_compared_with_the_rival_of_that_horizon():
    rivals = {"AR(2), anomalies": {(TEST, 1): 0.2}, "climatology": {(TEST, 3): 0.6}}
    good = {"gru": {(TEST, 1): 0.19, (TEST, 3): 0.59}, "srn": {(TEST, 3): 0.7}}
    rows = _rows({**rivals, **good})
    MEASURED.assert_holds("el_nino", "1 months ahead: gru", rows)
    MEASURED.assert_holds("el_nino", "3 months ahead: gru", rows)
    MEASURED.assert_missed("el_nino", "3 months ahead: srn", rows)


def test_a_network_that_diverged_is_no_better_than_any_rival():
    entries = next(e for e in MEASURED.trials("el_nino") if e["method"] == "gru")
    lost = pd.DataFrame(MEASURED.run({**entries, "learning_rate": 1e30, "optimizer": "sgd"}))
    own = lost[lost["record"] == "forecast"]
    assert own["squared_error"].isna().all() or own["squared_error"].gt(100).all()


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ({"rule": "last", "cell": "srn"}, "give one of rule, network and cell"),
        ({"rule": "ar"}, "order goes with the rules ar and threshold_ar"),
        ({"rule": "lsat"}, "'lsat' is unknown: did you mean 'last'?"),
        ({"cell": "srn", "outputs": 2}, "outputs is 2: 1, or 3 as horizon is"),
        ({"cell": "srn", "strength": None}, "decay and strength go together"),
        ({"cell": "srn", "intervals": {"late": [2000, 1999]}}, "interval late is"),
        (
            {"network": "narx", "options": {"hidden": 3, "delays": 2, "known": 4}},
            "length is 15: a network that runs free takes 4 known steps and goes 3 ahead, 6 in all",
        ),
    ],
)
def test_a_way_of_forecasting_that_contradicts_itself_is_one_line(of: dict[str, Any], says: str):
    section = {**SECTION["sunspots"], "method": "some", "seeds": 1, **of}
    with pytest.raises(UserError) as caught:
        expand(Forecasting, section, "quick.sunspots")
    (line,) = str(caught.value).splitlines()
    assert says in line


@pytest.mark.parametrize("part", STUDY.parts)
def test_what_is_predicted_can_be_judged_where_some_of_it_was_not_run(part: str):
    rows = MEASURED.rows(part)
    for method in rows["method"].unique():
        MEASURED.claims(part, rows[rows["method"] == method])


def test_a_network_of_one_output_goes_on_from_its_own_forecasts(tmp_path: Any):
    entries = next(e for e in MEASURED.trials("sunspots") if e["method"] == "12-8-1")
    trial = Forecasting.model_validate({k: v for k, v in entries.items() if k != "part"})
    series = DATA["yearly_sunspots"]
    task, learner, _ = trial._train(series, Given(DATA, tmp_path))
    values_N = np.concatenate([series.train_N, series.held_out_N])
    seen = Seen(values_N, 221, 1, np.array([100]), 2)
    one, two = trial.forecasts(task, learner, seen)[0]
    # The same network, with its forecast written into the series as if it were true.
    task.scaled_N[101] = (torch.tensor(one) - task.mean) / task.deviation
    again = trial.forecasts(task, learner, seen._replace(origins_B=np.array([101]), steps=1))
    assert again[0, 0] == pytest.approx(two, rel=1e-5)
