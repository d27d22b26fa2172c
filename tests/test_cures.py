"""The study of cures: its trials, its facts, and what it says of a run."""

import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pydantic
import pytest

from pipeline.reporting.exhibits import show
from pipeline.studies.cures import STUDY
from pipeline.studies.cures.outcomes import interval, outcome, outcomes, told
from pipeline.studies.cures.runs import called
from pipeline.studies.cures.smoothness import fits, with_width
from tests.cures_study import MEASURED, PROBLEM, SECTION

COLUMNS = {
    "learning": [
        *["cure", "kind", "record", "step", "held_out_loss", "error", "diverged", "norm"],
        *["clipped", "cosine", "succeeded", "threshold_over_norm", "final_loss"],
    ],
    "smoothness": ["step", "smoothness", "norm", "held_out_loss"],
}


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_tiny_study_has_its_columns_figures_and_checks(part: str):
    rows = MEASURED.rows(part)
    assert set(COLUMNS[part]) <= set(rows)
    for declared in STUDY.parts[part].figures:
        assert len(show(declared, rows).data), declared.name
    assert list(STUDY.parts[part].expects(rows))


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_trial_names_all_that_it_uses(part: str):
    assert MEASURED.beyond(part) == set()


def test_the_rows_of_both_parts_make_one_table():
    rows = pd.concat([MEASURED.rows(part) for part in STUDY.parts])
    assert pa.Table.from_pandas(rows).num_rows == len(rows)


def test_no_trial_is_run_twice():
    learning = MEASURED.trials("learning")
    assert len({tuple(trial.items()) for trial in learning}) == len(learning)
    cures = ("clip", "threshold", "decay", "strength", "learning_rate")
    told = {tuple(trial[name] for name in ("task", *cures, "seed")) for trial in learning}
    assert len(told) == len(learning)


def test_a_clip_below_every_norm_moves_the_weights_equally_far_each_time():
    rows = outcomes(MEASURED.rows("learning"))
    tight = rows[(rows["kind"] == "norm") & (rows["threshold"] == 0.001)]
    assert len(tight)
    assert (tight["clipped"] == 1).all()
    assert tight["kept"].to_numpy() == pytest.approx((0.001 / tight["norm"]).to_numpy(), rel=0.2)
    assert (tight["threshold_over_norm"] < 0.01).all()


def run_of(*errors: float | None, **probed: float) -> list[dict[str, Any]]:
    """Return the rows of a run of so many evaluations with these wrong fractions."""
    return [
        {
            "step": 10 * i,
            "held_out_loss": None if error is None else 7.0,
            "held_out_accuracy": None if error is None else 1 - error,
            "diverged": error is None,
            **({name: i * value for name, value in probed.items()} if i else {}),
        }
        for i, error in enumerate(errors)
    ]


def test_a_run_is_summed_up_until_it_first_succeeds():
    said = outcome(run_of(0.0, 0.5, 0.005, 0.9, norm=1.0, clipped=0.5), 3.0, 0.01)
    assert (said["succeeded"], said["updates_to_success"]) == (True, 20)
    assert (said["norm"], said["threshold_over_norm"], said["clipped"]) == (1.5, 2.0, 0.75)
    assert (said["cosine"], said["diverged"], said["final_loss"]) == (None, False, 7.0)


def test_a_run_that_never_succeeds_is_summed_up_whole():
    said = outcome(run_of(0.7, 0.5, 0.01, norm=1.0), None, 0.01)
    assert (said["succeeded"], said["updates_to_success"]) == (False, None)
    assert (said["norm"], said["threshold_over_norm"]) == (1.5, None)


def test_a_task_that_cannot_be_solved_has_no_success():
    assert outcome(run_of(0.7, 0.0), None, None)["succeeded"] is None


def test_a_run_that_diverged_ends_at_infinity():
    rows = pd.DataFrame([{"record": "outcome", **outcome(run_of(0.7, None), None, 0.01)}])
    assert outcomes(rows)["final_loss"].tolist() == [math.inf]


def test_a_real_run_that_diverges_is_shown_as_such():
    trial = next(t for t in MEASURED.trials("learning") if t["task"] == "adding")
    rows = MEASURED.run({**trial, "learning_rate": 1e6, "steps": 100})
    assert rows[-1]["diverged"]
    seen = pd.concat([MEASURED.rows("learning"), pd.DataFrame(rows)])
    assert all(len(show(f, seen).data) for f in STUDY.parts["learning"].figures)


def test_success_rates_have_the_interval_of_wilson_by_hand():
    z, n, p = 1.959964, 5, 0.2
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    expected = [(centre + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    one_of_five = pd.Series([True, False, False, False, False])
    assert interval(one_of_five) == pytest.approx(expected, rel=1e-5)
    assert told(one_of_five) == "1 of 5 (4% to 62%)"


def test_smoothness_that_is_a_power_of_the_norm_is_found_to_be():
    rows = pd.DataFrame(
        [
            {"task": "toy", "seed": seed, "norm": norm, "smoothness": 3 * norm ** (1.5 + seed)}
            for seed in (0, 1, 2)
            for norm in (0.1, 1.0, 5.0, 9.0)
        ]
    )
    assert fits(rows)["exponent"].tolist() == pytest.approx([1.5, 2.5, 3.5])
    assert fits(rows)["correlation"].tolist() == pytest.approx([1, 1, 1])
    assert with_width(fits(rows)["exponent"]) == pytest.approx((2.5, 4.3027 / 3**0.5), rel=1e-4)


def test_a_cure_is_called_by_its_numbers():
    assert called(None, None, None, None) == "none"
    assert called("norm", 1.0, None, None) == "norm 1"
    assert called("value", 0.01, "l2", 1e-5) == "value 0.01, l2 1e-05"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("learning_rates", [0.1], "repeat the learning_rate"),
        ("thresholds", {"norm": [0.01]}, "repeat the clip"),
        ("thresholds", {"nrom": [1.0]}, "Input should be 'norm', 'value' or 'adaptive'"),
        ("decays", {"l3": [1.0]}, "Input should be 'l2' or 'l1'"),
        ("evaluate_every", 3, "multiple of evaluate_every"),
    ],
)
def test_a_mistake_in_a_problem_is_said(key: str, value: Any, says: str):
    problem = {**PROBLEM, key: value}
    learning = {**SECTION["learning"], "problems": {"adding": problem}}
    with pytest.raises(pydantic.ValidationError, match=says):
        STUDY.Params.model_validate({**SECTION, "learning": learning})
