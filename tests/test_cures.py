"""The study of cures: its trials, its facts, and what it says of a run."""

import math
from collections import Counter
from typing import Any

import pandas as pd
import pytest

from pipeline import params
from pipeline.errors import UserError
from pipeline.reporting.exhibits import exhibit
from pipeline.studies.cures import STUDY
from pipeline.studies.cures.learning import Learning, outcome
from pipeline.studies.cures.predictions import outcomes
from pipeline.studies.cures.smoothness import fits
from tests.cures_study import MEASURED, PROBLEM, SECTION

COLUMNS = {
    "learning": [
        *["cure", "kind", "record", "step", "held_out_loss", "error", "diverged", "norm"],
        *["clipped", "cosine", "succeeded", "threshold_over_norm", "final_loss"],
    ],
    "smoothness": ["step", "smoothness", "norm", "held_out_loss"],
}


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_tiny_study_has_its_columns_and_a_trial_names_all_that_it_uses(part: str):
    assert set(COLUMNS[part]) <= set(MEASURED.rows(part))
    assert MEASURED.beyond(part) == set()


def test_figures_tables_and_checks_can_be_made_of_the_rows_of_both_parts():
    MEASURED.assert_shown()


def test_the_references_stand_beside_all_that_is_varied_but_thresholds():
    of = [t for t in MEASURED.trials("learning") if (t["task"], t["seed"]) == ("temporal_order", 0)]
    clips = {
        varied: [(t["clip"], t["threshold"]) for t in of if t["varied"] == varied]
        for varied in ("nothing", "threshold", "decay", "rate")
    }
    references = [(None, None), ("norm", 0.01)]
    assert clips["nothing"] == clips["rate"] == references
    assert Counter(clips["decay"]) == dict.fromkeys(references, 3)
    others = [("norm", 0.001), ("norm", 1.0), ("value", 0.0001), ("adaptive", 0.0001)]
    assert clips["threshold"] == others


@pytest.mark.parametrize("scale", params.SCALES)
def test_no_cure_is_tried_twice_under_two_names(scale: str):
    trials = params.trials("cures", STUDY, scale).values()
    learning = [trial for trial in trials if trial["part"] == "learning"]
    cure = ("clip", "threshold", "decay", "strength", "learning_rate")
    tried = {tuple(trial[name] for name in ("task", *cure, "seed")) for trial in learning}
    assert len(tried) == len(learning)


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
    assert all(len(exhibit(f, seen).data) for f in STUDY.parts["learning"].figures)


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


@pytest.mark.parametrize(
    ("cure", "name"),
    [
        ({}, "none"),
        ({"clip": "norm", "threshold": 1.0}, "norm 1"),
        (
            {"clip": "value", "threshold": 0.01, "decay": "l2", "strength": 1e-5},
            "value 0.01, l2 1e-05",
        ),
    ],
)
def test_a_cure_is_called_by_its_numbers(cure: dict[str, Any], name: str):
    problem = {**PROBLEM, "clip": "none", **cure}
    section = {**SECTION["learning"], "task": {"adding": problem}}
    trials = params.expand(Learning, section, "learning")
    assert {Learning.model_validate(trial.entries()).cure() for trial in trials} == {name}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("clip", {"norm": None}, "clip and threshold go together"),
        ("clip", {"nrom": {"threshold": 1.0}}, "Input should be 'norm', 'value' or 'adaptive'"),
        ("decay", {"l3": {"strength": 1.0}}, "Input should be 'l1' or 'l2'"),
        ("decay", {"l2": None}, "decay and strength go together"),
        ("varied", "rates", "Input should be 'nothing', 'threshold', 'decay' or 'rate'"),
        ("evaluate_every", 3, "multiple of evaluate_every"),
    ],
)
def test_a_mistake_in_a_problem_is_said(field: str, value: Any, says: str):
    section = {**SECTION["learning"], "task": {"adding": {**PROBLEM, field: value}}}
    with pytest.raises(UserError, match=says):
        params.expand(STUDY.parts["learning"].trial, section, "learning")
