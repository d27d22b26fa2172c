"""The study ``vanishing_gradient`` at a size of seconds: claims hold, or must be missed."""

from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies.vanishing_gradient import STUDY, learning
from pipeline.studies.vanishing_gradient.decay import Decay
from pipeline.study import Table
from tests.measured import Measured

SECTION: dict[str, dict[str, Any]] = {
    "decay": {
        "cell": {
            "srn": [
                {
                    "activation": ["linear", "tanh", "logistic", "relu"],
                    "start": ["orthogonal", "identity"],
                    "gain": [0.5, 1.5],
                },
                {"start": "usual"},
            ],
            "residual": None,
            "lstm": None,
        },
        "start": "usual",
        "length": [20, 400],
        "input_gain": 0.3,
        "batch_size": 2,
        "input_size": 3,
        "hidden_size": 8,
        "seeds": 1,
    },
    "chance": {"task": "adding", "length": [10, 50], "held_out_size": 40000, "seeds": 2},
    "learning": {
        "task": "adding",
        "algorithm": "bptt",
        "network": {
            "tanh": {"cell": "srn"},
            "irnn": {"cell": "srn", "activation": "relu", "start": "identity"},
        },
        "length": 50,
        "hidden_size": 4,
        "batch_size": 4,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "clip": "norm",
        "threshold": 1.0,
        "steps": 4,
        "evaluations": 2,
        "held_out_size": 20,
        "seeds": 1,
    },
}
MEASURED = Measured(STUDY, SECTION, {})


def test_what_is_exact_holds_at_any_size() -> None:
    for words in ("linear, orthogonal", "logistic:", "residual,", "ReLU from", "as drawn"):
        MEASURED.assert_holds("decay", words, MEASURED.rows("decay"))


def test_what_is_lost_altogether_has_no_number() -> None:
    rows = MEASURED.rows("decay")
    lost = rows[
        (rows["activation"] == "logistic") & (rows["length"] == 400) & (rows["gain"] == 0.5)
    ]
    assert lost.loc[lost["lag"] == 400, "log10_kept"].isna().all()
    assert lost.loc[lost["kind"] == "network", "exponent"].between(-3, -2).all()


def test_who_always_answers_1_reaches_a_sixth_and_not_the_figure_that_is_quoted() -> None:
    MEASURED.assert_holds("chance", "1/6", MEASURED.rows("chance"))
    MEASURED.assert_missed("chance", "0.1767", MEASURED.rows("chance"))
    quoted = MEASURED.rows("chance").assign(squared_error=0.1767)
    MEASURED.assert_holds("chance", "0.1767", quoted)


def test_networks_stand_beside_chance_and_what_was_measured_before() -> None:
    rows = MEASURED.rows("learning").assign(held_out_loss=1 / 6)
    table = learning.PART.figures[2]
    assert isinstance(table, Table)
    lines = table.build(rows).set_index("network")
    assert list(lines["of chance"]) == ["100.0%"] * 3
    assert dict(lines["measured before"]) == {"irnn": "0.0011", "tanh": "0.1580", "always 1": ""}
    MEASURED.assert_holds("learning", "within a fifth of chance", rows)


def test_figures_and_tables_can_be_made_of_the_rows() -> None:
    MEASURED.assert_shown()
    lines = [
        len(shown.build(MEASURED.rows(name)))
        for name, part in STUDY.parts.items()
        for shown in part.figures
        if isinstance(shown, Table)
    ]
    assert lines == [19, 2, 3]


def test_a_run_that_diverged_has_learned_nothing() -> None:
    rows = MEASURED.rows("learning")
    rows["held_out_loss"] = [0.001, 0.001, None] * 2
    MEASURED.assert_holds("learning", "tanh units above 0.1", rows)
    table = learning.PART.figures[1]
    assert isinstance(table, Table)
    assert list(table.build(rows)["50 steps"]) == ["inf (0 of 1)"] * 2


TAMPERED: dict[str, tuple[str, str, str, str, float]] = {
    "a decay that is not exact": ("decay", "linear, orth", "whole", "activation == 'linear'", 0.9),
    "a step that keeps more": ("decay", "logistic", "most", "activation == 'logistic'", 0.9),
    "a residual that loses": ("decay", "residual", "least", "cell == 'residual'", 0.99),
    "an exponent of its own": ("decay", "over 100", "exponent", "activation == 'tanh'", -9.0),
    "a unit that keeps more": (
        *("decay", "ReLU from", "most", "activation == 'relu' and start == 'identity'", 1.6),
    ),
    "an IRNN that does not add": (
        *("learning", "an IRNN comes below", "held_out_loss", "network == 'irnn'", 0.1),
    ),
    "an IRNN above what it was": (
        *("learning", "irnn no higher", "held_out_loss", "network == 'irnn'", 0.1),
    ),
    "tanh units beyond chance": (
        *("learning", "within a fifth", "held_out_loss", "network == 'tanh'", 0.3),
    ),
    "an LSTM that forgets": ("decay", "as drawn", "rate", "cell == 'lstm'", -9.0),
    "tanh units that learn": ("learning", "tanh", "held_out_loss", "network == 'tanh'", 0.01),
    "a GRU that does not": ("learning", "gru", "held_out_loss", "network == 'gru'", 0.1),
    "nor an LSTM": ("learning", "lstm", "held_out_loss", "network == 'lstm'", 0.1),
}
"""Part and claim of a check; the column, the rows, and the value that they are tampered with."""


@pytest.mark.parametrize("start", [{"start": "usual", "gain": 1.0}, {"start": "orthogonal"}])
def test_a_start_comes_with_its_gain(start: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="has a gain"):
        expand(Decay, {**SECTION["decay"], "cell": "srn", **start}, "decay")


@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_claim_is_missed_on_tampered_rows(tampered: str) -> None:
    part, claim, column, which, value = TAMPERED[tampered]
    rows = MEASURED.rows(part).replace(
        {"network": {"irnn": claim}} if claim in ("gru", "lstm") else {}
    )
    rows.loc[rows.eval(which), column] = value
    MEASURED.assert_missed(part, claim, rows)
