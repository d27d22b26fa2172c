"""The study ``backpropagation`` at a size of seconds: claims hold, or must be missed."""

import math
from typing import Any

import pandas as pd
import pytest
import torch

from lightning_modules.networks import _starts
from pipeline import params
from pipeline.errors import UserError
from pipeline.studies.backpropagation.depth import best, slower, target
from pipeline.studies.backpropagation.starts import STARTS
from tests.backpropagation_study import EXPECTED, MEASURED, SECTION, saturation


def test_what_theory_says_of_starts_holds_at_any_size() -> None:
    for words in ("usual start, tanh: some", "less than 1/4"):
        MEASURED.assert_holds("saturation", words, MEASURED.rows("saturation"))
    for part in ("depth", "modes"):
        assert len(MEASURED.claims(part, MEASURED.rows(part))) == 2
        MEASURED.assert_holds(part, "", MEASURED.rows(part))


def test_figures_and_tables_can_be_made_of_the_rows() -> None:
    MEASURED.assert_shown()


def test_a_trial_s_hash_covers_all_that_it_uses() -> None:
    assert [part for part in MEASURED.study.parts if MEASURED.beyond(part)] == []


def test_the_names_of_starts_are_those_that_there_are() -> None:
    assert set(STARTS) == set(_starts.STARTS)


def test_still_weights_are_tried_at_the_rate_that_they_bring() -> None:
    still = {"still": 0.05, "rate": 0.5}
    section = {**SECTION["xor"], "stop": {"right": None, "still": still}, "rate": [2.0, 8.0]}
    trials = params.expand(MEASURED.study.parts["xor"].trial, section, "xor")
    seen = {(of["stop"], of["still"], of["rate"]) for of in map(dict, trials)}
    assert seen == {("right", None, 2.0), ("right", None, 8.0), ("still", 0.05, 0.5)}


@pytest.mark.parametrize(
    ("part", "field", "value", "says"),
    [
        ("xor", "stop", "still", "xor: still goes with stop: still, and with no other"),
        ("attributes", "problem", {4: {"hidden_size": 3}}, "problem.4: Input should be 1, 2 or 3"),
        ("digits", "setting", {"usaul": None}, "did you mean 'usual'?"),
        ("saturation", "start", "fan-in", "saturation.start: 'fan-in' is unknown: did you mean"),
        ("saturation", "activation", ["tanh", "tahn"], "saturation.activation.1: Input should be"),
        ("depth", "start", ["orthogonl"], "depth.start.0: 'orthogonl' is unknown: did you mean"),
        ("modes", "singular_values", [], "modes.singular_values: List should have at least 1"),
        (
            "modes",
            "singular_values",
            [1.0, 0.0],
            "modes.singular_values.1: Input should be",
        ),
    ],
)
def test_a_mistake_is_one_line(part: str, field: str, value: object, says: str) -> None:
    with pytest.raises(UserError) as caught:
        params.expand(
            MEASURED.study.parts[part].trial, {**SECTION[part], field: value}, f"quick.{part}"
        )
    said = [line for line in str(caught.value).splitlines() if says in line]
    assert len(said) == 1, caught.value


def test_a_target_has_the_singular_values_that_are_asked_for() -> None:
    y_NO = target(6, [3.0, 1.0])
    assert y_NO.shape == (6, 2)
    torch.testing.assert_close(torch.linalg.svdvals(y_NO), torch.tensor([3.0, 1.0]).double())


def test_the_best_rate_is_the_quickest_of_those_at_which_all_seeds_learn() -> None:
    told = [(0.1, 0, 30), (0.1, 1, 50), (0.2, 0, 10), (0.2, 1, None), (0.4, 0, None), (0.4, 1, 1)]
    rows = pd.DataFrame(told, columns=["rate", "seed", "steps_used"])
    rows = rows.assign(start="gaussian", depth=2, learned=rows["steps_used"].notna())
    assert best(rows)[["rate", "steps"]].to_numpy().tolist() == [[0.1, 40.0]]
    nobody = best(rows.assign(steps_used=None, learned=False))
    assert nobody["steps"].isna().all()


def test_a_depth_that_not_all_learn_takes_infinitely_long_where_it_does_not() -> None:
    told = [(1, 0.1, 0, 10), (1, 0.1, 1, 10), (8, 0.1, 0, None), (8, 0.1, 1, 90)]
    told += [(8, 0.2, 0, None), (8, 0.2, 1, None)]
    rows = pd.DataFrame(told, columns=["depth", "rate", "seed", "steps_used"])
    rows = rows.assign(start="gaussian", learned=rows["steps_used"].notna())
    assert slower(rows)["gaussian"].to_dict() == {0: math.inf, 1: 9.0}


COUNT = {"xor": 5, "attributes": 3, "digits": 3, "saturation": 9}


@pytest.mark.parametrize("part", EXPECTED)
def test_all_predictions_hold_where_everything_came_as_expected(part: str) -> None:
    assert len(MEASURED.claims(part, EXPECTED[part]())) == COUNT[part]
    MEASURED.assert_holds(part, "", EXPECTED[part]())


def test_layers_of_which_none_saturates_do_not_saturate_most() -> None:
    rows = saturation()
    rows.loc[rows["activation"] == "logistic", "saturated"] = 0.0
    MEASURED.assert_missed("saturation", "the highest hidden layer saturates most", rows)


def test_what_is_said_of_all_of_mnist_is_asked_of_all_of_it_alone() -> None:
    assert len(MEASURED.claims("digits", EXPECTED["digits"]().assign(digits=5000))) == 1


LOGISTIC = "activation == 'logistic' and start == 'fan_in'"
TANH = "activation == 'tanh' and start == "
TAMPERED: dict[str, tuple[str, str, str, str, Any]] = {
    "a range that fails": ("xor", "U(±0.5), 4", "solved", "spread == 0.5", False),
    "many units that are slow": ("xor", "8 hidden", "epochs_used", "hidden_size == 8", 999.0),
    "a small range that is quick": ("xor", "U(±0.1) needs", "epochs_used", "spread == 0.1", 1.0),
    "right answers that have not solved it": ("xor", "still", "solved", "stop == 'right'", False),
    "a problem that is not solved": (
        "attributes",
        "MONK 2",
        "held_out_accuracy",
        "problem == 2",
        0.94,
    ),
    "a wide range that ends well": ("digits", "U(±1)", "error", "setting == 'wide'", 0.01),
    "a rule that ends above LeCun": ("digits", "LeCun", "error", "setting == 'usual'", 0.05),
    "cross-entropy that ends high": ("digits", "2.2 %", "error", "seed == 0", 0.03),
    "tanh that loses more": (
        "saturation",
        "1/√3",
        "log10_error",
        f"{TANH}'fan_in' and layer == 1",
        -2.0,
    ),
    "a normalised start that loses": (
        "saturation",
        "keeps the error",
        "log10_error",
        f"{TANH}'normalised' and layer == 1",
        -1.0,
    ),
    "logistic units that keep": (
        "saturation",
        "1/4",
        "log10_error",
        f"{LOGISTIC} and layer == 1",
        0.0,
    ),
    "a top that stays": ("saturation", "pushed down", "mean", f"{LOGISTIC} and layer == 3", 0.5),
    "a top that is free": (
        "saturation",
        "saturates most",
        "saturated",
        f"{LOGISTIC} and layer == 3",
        0.0,
    ),
    "logistic units that learn": ("saturation", "fan_in: logistic", "held_out_loss", LOGISTIC, 0.1),
    "softsign that saturates": (
        "saturation",
        "softsign",
        "saturated",
        "activation == 'softsign'",
        0.9,
    ),
    "a usual start that is better": (
        "saturation",
        "tanh ends better",
        "held_out_loss",
        f"{TANH}'fan_in'",
        0.1,
    ),
    "orthogonal layers that are slow": (
        "depth",
        "orthogonal",
        "steps_used",
        "start == 'orthogonal' and depth == 24",
        999,
    ),
    "Gaussian layers that are quick": ("depth", "Gaussian", "steps_used", "start == 'gaussian'", 3),
    "modes out of order": ("modes", "one by one", "time", "record == 'half' and mode == 1", 0.1),
    "a mode that is late": ("modes", "half learned", "time", "record == 'half' and mode == 1", 9.0),
    "a mode that is never learned": ("modes", "e", "time", "record == 'half' and mode == 0", None),
}
"""Part and claim of a check; the column, the rows, and the value that they are tampered with."""


@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_claim_is_missed_on_tampered_rows(tampered: str) -> None:
    part, claim, column, which, value = TAMPERED[tampered]
    rows = EXPECTED[part]() if part in EXPECTED else MEASURED.rows(part)
    if part == "depth":
        rows["learned"] = True
        rows["steps_used"] = rows["steps_used"].fillna(200.0)
    rows.loc[rows.eval(which), column] = value
    MEASURED.assert_missed(part, claim, rows)
