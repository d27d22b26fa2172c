"""The study of online algorithms: its trials, its facts, and checks that fail where they should."""

import itertools
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from lightning_modules.algorithms.rtrl import RTRL
from lightning_modules.algorithms.uoro import UORO
from lightning_modules.cells.srn import SRN
from lightning_modules.interfaces import Algorithm, Claim, Run
from pipeline.errors import UserError
from pipeline.measuring.statistics import half_width, with_interval
from pipeline.params import expand
from pipeline.reporting.exhibits import exhibit
from pipeline.studies.online_algorithms import STUDY, influence_balancing, published
from pipeline.studies.online_algorithms.agreement import noise_of
from pipeline.studies.online_algorithms.problem import Problem
from pipeline.studies.online_algorithms.rules import called
from pipeline.study import Given
from pipeline.tasks.lagged_sum import LaggedSum
from tests.online_study import MEASURED, SECTION

COLUMNS = {
    "agreement": ["cosine", "norm_ratio", "relative_error", "bias", "variance", "kilobytes"],
    "influence_balancing": ["rule", "step", "theta", "best"],
    "staleness": ["step", "relative_error", "cosine", "update", "loss"],
    "forecasting": ["rule", "step", "train_loss", "held_out_loss", "diverged"],
    "learning": ["rule", "step", "held_out_loss", "chance", "floor", "diverged"],
}


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_part_has_its_columns_and_a_trial_names_all_that_it_uses(part: str):
    assert set(COLUMNS[part]) <= set(MEASURED.rows(part))
    assert MEASURED.beyond(part) == set()


def test_a_tiny_study_has_its_figures_and_checks():
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", ["influence_balancing", "staleness"])
def test_what_follows_from_mathematics_holds_at_any_size(part: str):
    MEASURED.assert_holds(part, "", MEASURED.rows(part))


def test_the_gradients_that_are_exact_are_so_at_any_size():
    for words in ("exact gradient on every cell", "is exact on cells"):
        MEASURED.assert_holds("agreement", words, MEASURED.rows("agreement"))


def test_e_prop_s_exactness_is_claimed_under_its_condition():
    rows = MEASURED.rows("agreement").replace({"rule": {"rflo": "eprop"}})
    words = "eprop: is exact on cells without weights between units, as no credit reaches hidden"
    MEASURED.assert_holds("agreement", words, rows)


def test_a_run_that_diverges_says_so_in_its_last_row():
    trial = next(t for t in MEASURED.trials("staleness") if t["learning_rate"] == 0.1)
    *_, last = STUDY.run({**trial, "learning_rate": 50.0}, Given({}, Path()))
    assert last["kind"] == "diverged"
    assert last["relative_error"] is None
    measured = MEASURED.rows("staleness").to_dict("records")
    rows = pd.DataFrame([*measured, trial | last])
    MEASURED.assert_holds("staleness", "", rows)
    assert [len(exhibit(f, rows).data) for f in STUDY.parts["staleness"].figures]


def test_a_refusal_is_a_row_without_numbers():
    rows = MEASURED.rows("agreement")
    row = rows[(rows["rule"] == "diagonal_rtrl") & (rows["cell"] == "srn")].iloc[0]
    assert "mixes its units" in row["refused"]
    assert math.isnan(row["cosine"])


def test_the_best_theta_of_ten_and_thirteen_units_is_minus_a_sixth():
    theta = influence_balancing.best(10, 13)
    assert theta == pytest.approx(-1 / 6)
    cell, v_H = influence_balancing.chain("srn", "linear", 10, 13)
    *_, b_H = cell.parameters()
    b_H.copy_(theta * v_H)
    x_TBI = torch.zeros(500, 1, 1, dtype=torch.float64)
    s_TBS = cell.follow(x_TBI, torch.zeros(1, 23, dtype=torch.float64)).states_TBS
    assert float(s_TBS[-1, 0, 0]) == pytest.approx(1)


def test_every_window_of_at_most_forty_steps_has_the_wrong_sign():
    cell, v_H = influence_balancing.chain("srn", "linear", 10, 13)
    W_HH, seen_H, slopes = list(cell.parameters())[1].detach(), torch.zeros_like(v_H), []
    for _ in range(100):
        seen_H = W_HH @ seen_H + v_H
        slopes.append(float(seen_H[0]))
    assert min(slopes[: influence_balancing.SHORT]) > 0
    assert slopes[-1] == pytest.approx(-6, abs=1e-3)


class _Biased(Algorithm):
    """UORO, and a tenth too much."""

    claim = Claim.UNBIASED

    def run(self, *given: Any, **named: Any) -> Run:
        run = UORO().run(*given, **named)
        return run._replace(gradient_P=1.1 * run.gradient_P)


def test_a_biased_estimate_is_many_standard_errors_off():
    torch.manual_seed(0)
    task = LaggedSum(seed=0, batch_size=1, length=20, held_out_size=20)
    problem = Problem(SRN(2, 4).double(), task, 10)
    exact_P = problem.gradient(RTRL())
    found = {
        rule: noise_of(problem, rule(), exact_P, draws=2, groups=20, copies=20)
        for rule in (UORO, _Biased)
    }
    assert found[UORO]["bias_in_errors"] < 2
    assert found[_Biased]["bias_in_errors"] > 3
    assert found[_Biased]["bias"] == pytest.approx(0.1, abs=0.05)


def _as_published(turned: bool) -> pd.DataFrame:
    """Return rows that end as the published ones did, or, turned round, worse the better they."""
    return pd.DataFrame(
        {
            **{"task": task, "rule": rule, "seed": 0, "steps": published.STEPS, "diverged": False},
            **{"step": published.STEPS, "train_loss": 1 - mean if turned else mean},
        }
        for task in published.COMPARED
        for rule, (mean, _) in published.published(task).items()
    )


def test_the_published_figures_keep_their_own_order_and_their_reverse_does_not():
    rows = _as_published(turned=False)
    MEASURED.assert_holds("forecasting", "the published order", rows)
    MEASURED.assert_missed("forecasting", "the published order", _as_published(turned=True))
    order = [c for c in MEASURED.claims("forecasting", rows).values() if "order" in c.text]
    assert [claim.parts for claim in order] == [10, 7, 6]
    assert all(c.published and "after four summaries" in c.published.stated for c in order)


def test_a_published_mean_is_held_with_its_own_error():
    claims = MEASURED.claims("forecasting", _as_published(turned=False))
    near, far = (
        claims[f"{of}: snap1 is within 30% of the published NMSE"] for of in ("henon", "lorenz")
    )
    # By hand: .0012 / 3 of .0052 is 7.7 %, .0008 / 3 of .0024 is 11 %; Student's t of 39 is 2.023.
    for claim, error in ((near, 0.0012 / 3 / 0.0052), (far, 0.0008 / 3 / 0.0024)):
        assert claim.estimate == pytest.approx(1)
        assert (claim.high - claim.low) / 2 == pytest.approx(2.0227 * error, rel=1e-3)
    assert near.published
    assert near.published.value == "0.0052 ± 0.0012 (10 seeds)"


def test_the_figure_is_the_mean_of_the_late_rows_and_infinite_after_divergence():
    lines = [
        {"task": "henon", "rule": "rflo", "seed": seed, "steps": 12, "step": step}
        | {"train_loss": loss, "diverged": seed == 1 and step == 12}
        for seed in (0, 1)
        for step, loss in ((0, None), (9, 5.0), (10, 4.0), (11, 3.0), (12, 1.0))
    ]
    ends = published.last_forecasts(pd.DataFrame(lines))
    assert dict(zip(ends["seed"], ends["train_loss"], strict=True)) == {0: 2.0, 1: math.inf}


def test_means_are_told_from_the_published_by_welchs_test():
    same, far = (
        pd.Series([mean + 0.001 * (-1) ** i for i in range(10)]) for mean in (0.0052, 0.02)
    )
    # Both deviations are then 0.001 · √(10/9), so by hand t = 0 and, with 18 degrees, below 1e-12.
    assert published._probability_alike(same, 0.0052, 0.001) == "1"
    assert float(published._probability_alike(far, 0.0052, 0.001)) < 1e-12
    assert published._probability_alike(far[:1], 0.0052, 0.001) == ""
    assert published._probability_alike(far, 0.0052, math.nan) == ""


def test_runs_as_long_as_the_published_are_judged_and_shorter_ones_are_not():
    rows = MEASURED.rows("forecasting")
    short = MEASURED.claims("forecasting", rows)
    times = published.STEPS / rows["steps"]
    as_long = rows.assign(steps=published.STEPS, step=rows["step"] * times)
    long = MEASURED.claims("forecasting", as_long)
    assert "henon: blocked_rtrl is within 30% of the published NMSE" in long.keys() - short.keys()
    assert not any("published" in claim for claim in short)


def test_an_interval_is_students_by_hand():
    assert half_width(pd.Series([1.0, 2.0, 3.0])) == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    assert with_interval(pd.Series([1.0, 2.0, 3.0]), 2) == "2.00 ± 2.48"
    assert with_interval(pd.Series([1.0]), 2) == "1.00"


def test_a_rule_is_called_by_what_it_is_built_with():
    assert list(itertools.starmap(called, [("snap1", None), ("tbptt", 5), ("tbptt", 25, 25)])) == [
        "snap1",
        "tbptt(5)",
        "tbptt(25, 25)",
    ]


def test_truncated_bptt_is_tried_under_every_horizon_and_other_rules_once():
    asked = [(t["algorithm"], t["horizon"]) for t in MEASURED.trials("agreement")]
    assert len(asked) == len(set(asked)) * len(SECTION["agreement"]["cell"])
    assert sorted(str(h) for _, h in set(asked)) == ["1", "20", *["None"] * 8]


@pytest.mark.parametrize(
    ("part", "key", "value", "says"),
    [
        ("agreement", "cell", ["lstn"], "did you mean 'lstm'"),
        ("agreement", "groups", 9, "greater than or equal to 10"),
        ("influence_balancing", "minus", 10, "plus and minus are both 10"),
        ("staleness", "every", 61, "beyond length 60"),
        ("forecasting", "evaluate_every", 15, "evaluate_every is 15: must be a multiple of length"),
        ("forecasting", "steps", 50, "must be a multiple of evaluate_every"),
        ("forecasting", "length", None, "give length"),
        ("learning", "evaluations", None, "give one of evaluations and evaluate_every"),
    ],
)
def test_a_mistake_in_the_section_is_said(part: str, key: str, value: Any, says: str):
    with pytest.raises(UserError, match=says):
        expand(STUDY.parts[part].trial, {**SECTION[part], key: value}, part)
