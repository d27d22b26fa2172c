"""The study of equilibrium propagation: its arithmetic, on rows by hand too."""

from typing import Any

import pandas as pd
import pytest

from pipeline import params
from pipeline.errors import UserError
from pipeline.studies import STUDIES
from pipeline.studies.equilibrium.digits import Digits
from pipeline.studies.equilibrium.gradients import slopes
from pipeline.study import HOLDS
from tests import toy
from tests.measured import Measured

SMALL: dict[str, Any] = {
    "input_size": 3,
    "hidden": [4],
    "output_size": 2,
    "gain": 0.4,
    "rate": 0.5,
    "examples": 2,
    "seeds": 2,
}
RELAXES: dict[str, Any] = {
    "network": "equilibrium",
    "activation": "hard_sigmoid",
    "nudge": "centred",
    "beta": 0.5,
    "relaxation": 0.5,
    "free_steps": 5,
    "nudged_steps": 5,
    "apart": 0.0,
}
SECTION: dict[str, Any] = {
    "gradients": {
        "activation": ["tanh", "hard_sigmoid"],
        "nudge": ["one_sided", "centred"],
        "betas": [0.0001, 0.001],
        **SMALL,
    },
    "steps": {
        "activation": "tanh",
        "nudge": ["one_sided", "centred"],
        "betas": [0.0001, 0.0003],
        "steps": 5,
        "free": [0, 2],
        **SMALL,
    },
    "asymmetry": {
        "activation": "tanh",
        "nudge": "centred",
        "betas": [0.0001, 0.001],
        "aparts": [0.0, 0.001, 0.01, 1.0],
        **SMALL,
    },
    "digits": {
        "dataset": "mnist",
        "task": "images",
        "learner": {
            "centred": RELAXES,
            "centred, weights apart": {**RELAXES, "apart": 0.5},
            "back-propagation": {"network": "mlp", "activation": "relu"},
            "linear": {"network": "mlp", "activation": "relu", "hidden": []},
        },
        "hidden": [4],
        "optimizer": "adam",
        "learning_rate": 0.01,
        "batch_size": 5,
        "steps": 4,
        "evaluations": 2,
        "held_out_size": 10,
        "seeds": 1,
    },
}
MEASURED = Measured(STUDIES["equilibrium"], SECTION, {"mnist": toy.images()})


@pytest.mark.parametrize("part", MEASURED.study.parts)
def test_a_trials_hash_covers_all_that_it_uses(part: str):
    assert MEASURED.beyond(part) == set()


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", ["gradients", "steps", "asymmetry"])
def test_what_is_derived_holds_at_any_size(part: str):
    for claim in MEASURED.claims(part, MEASURED.rows(part)).values():
        assert claim.verdict == HOLDS, claim


@pytest.mark.parametrize(
    ("part", "column", "by", "words"),
    [
        ("gradients", "beta", 0.2, "to the power 1"),
        ("gradients", "beta", 0.2, "to the power 2"),
        ("steps", "beta", 0.2, "to the power 1"),
        ("steps", "beta", -0.2, "to the power 2"),
        ("asymmetry", "apart", 0.2, "of the order of the share"),
    ],
)
def test_an_error_of_another_order_is_missed(part: str, column: str, by: float, words: str):
    rows = MEASURED.rows(part)
    of = "off" if part == "steps" else "error"
    MEASURED.assert_missed(part, words, rows.assign(**{of: rows[of] * rows[column] ** by}))


@pytest.mark.parametrize(
    ("part", "column", "factor", "words"),
    [
        ("gradients", "error", 1e6, "the error is below"),
        ("steps", "off", 1e6, "is its step of back-propagation"),
        ("asymmetry", "cosine", -1.0, "the cosine to the gradient is above 0"),
    ],
)
def test_an_error_that_is_too_large_is_missed(part: str, column: str, factor: float, words: str):
    rows = MEASURED.rows(part)
    MEASURED.assert_missed(part, words, rows.assign(**{column: rows[column] * factor}))


def test_a_nudge_that_cures_weights_apart_or_a_cut_that_costs_nothing_is_missed():
    rows = MEASURED.rows("asymmetry")
    cured = rows.assign(error=rows["error"].where(rows["beta"] > 1e-4, rows["error"] / 2))
    MEASURED.assert_missed("asymmetry", "a smaller β takes less", cured)
    rows = MEASURED.rows("steps").assign(off=1e-5)
    MEASURED.assert_missed("steps", "was cut short", rows)


def test_slopes_are_taken_where_no_unit_crossed_an_end():
    rows = pd.DataFrame(
        {"activation": "hard_sigmoid", "nudge": "centred", "seed": 0, "crossed": [0, 0, 1]}
        | {"beta": [1e-4, 1e-3, 1e-2], "error": [2e-8, 2e-6, 0.5]}
    )
    (found,) = slopes(rows).to_dict("records")
    assert found["slope"] == pytest.approx(2)
    assert found["share"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("learner", "wrong", "words"),
    [
        ("centred", 98.0, "wrong less often than a line"),
        ("centred", 98.0, "as often as back-propagation"),
        ("centred, weights apart", 98.0, "weights back of their own"),
    ],
)
def test_learners_of_digits_are_compared(learner: str, wrong: float, words: str):
    rows = MEASURED.rows("digits")
    usual = {"centred": 3.0, "centred, weights apart": 4.0, "back-propagation": 2.0, "linear": 8.0}
    good = rows.assign(wrong=rows["learner"].map(usual))
    MEASURED.assert_holds("digits", words, good)
    MEASURED.assert_missed(
        "digits", words, good.assign(wrong=good["learner"].map(usual | {learner: wrong}))
    )


@pytest.mark.parametrize(
    "of", [{"network": "mlp"}, {"beta": None}, {"network": "mlp", "nudge": "centred"}]
)
def test_a_relaxation_is_of_networks_that_relax(of: dict[str, Any]):
    section = {**SECTION["digits"], "learner": {"centred": {**RELAXES, **of}}}
    with pytest.raises(UserError, match="go with networks that relax, all of them"):
        params.expand(Digits, section, "quick.digits")
