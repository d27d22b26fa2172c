"""The study ``bptt_vs_rtrl`` at a size of seconds: claims hold, or must be missed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lightning_modules.cells import CELLS
from pipeline import params
from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies.bptt_vs_rtrl import STUDY
from pipeline.studies.bptt_vs_rtrl.cost import crossing, exponents
from tests import toy
from tests.measured import Measured

SECTION: dict[str, dict[str, Any]] = {
    "exactness": {
        "cell": {"srn": {"activation": "tanh"}, "lstm": None},
        "algorithm": ["bptt", "tbptt", "rtrl", "blocked_rtrl"],
        "length": 12,
        "batch_size": 2,
        "input_size": 2,
        "hidden_size": 3,
        "seeds": 1,
    },
    "stacks": {
        "cell": "stack",
        "layer": ["srn", "gru"],
        "layers": 2,
        "algorithm": ["bptt", "rtrl"],
        "length": 8,
        "batch_size": 2,
        "input_size": 2,
        "hidden_size": 3,
        "seeds": 1,
    },
    "outputs": {
        "cell": "srn",
        "algorithm": "rtrl",
        "hidden_size": 8,
        "input_size": 8,
        "length": 32,
        "outputs": [1, 8, 64, 136],
        "seed": 0,
    },
    "cost": {
        "cell": "srn",
        "read": {
            "sequence": {"algorithm": ["bptt", "blocked_rtrl"]},
            "step": {"algorithm": "rtrl"},
        },
        "sweep": {
            "n": [{"hidden_size": n, "length": 2 * n} for n in (2, 3, 4, 5)],
            "T": {"hidden_size": 4, "length": [8, 32, 128]},
        },
        "input_size": 2,
        "repeats": 1,
        "seed": 0,
    },
    "truncation": {
        "cell": "srn",
        "gain": [0.7, 1.2],
        "input_gain": 0.5,
        "algorithm": "tbptt",
        "reference": "bptt",
        "horizon": [1, 5, 20, 40],
        "length": 40,
        "batch_size": 8,
        "input_size": 8,
        "hidden_size": 32,
        "seeds": 2,
    },
    "training": {
        "cell": "srn",
        "optimizer": "adam",
        "hidden_size": 4,
        "batch_size": 2,
        "held_out_size": 50,
        "steps": 4,
        "evaluations": 2,
        "task": {
            "next_character": {
                "dataset": "tiny_shakespeare",
                "learning_rate": 0.003,
                "length": 6,
            }
        },
        "regime": {
            "held": {"algorithm": ["bptt", "rtrl"], "precision": 64},
            "online": {
                "algorithm": {"tbptt": {"horizon": [1, 4]}, "blocked_rtrl": None},
                "update_every": 1,
                "precision": 32,
            },
        },
        "seeds": 1,
    },
}
MEASURED = Measured(STUDY, SECTION, {"tiny_shakespeare": toy.text()})


def _timed(powers: dict[str, float], sizes: tuple[int, ...] = (128, 160, 200, 256)) -> pd.DataFrame:
    """Return rows of costs whose times grow as such powers of n, by algorithm."""
    rows = MEASURED.rows("cost")
    lengths, first = rows[rows["sweep"] == "T"], rows[rows["sweep"] == "n"].drop_duplicates("form")
    units = [
        first.assign(
            hidden_size=n,
            microseconds=[float(n) ** powers[algorithm] for algorithm in first["algorithm"]],
        )
        for n in sizes
    ]
    return pd.concat([*units, lengths], ignore_index=True)


USUAL = {"rtrl": 4.0, "blocked_rtrl": 3.0, "bptt": 2.0}


def test_what_follows_from_mathematics_holds_at_any_size() -> None:
    MEASURED.assert_holds("exactness", "the gradient is exact", MEASURED.rows("exactness"))
    MEASURED.assert_holds("stacks", "the gradient is exact", MEASURED.rows("stacks"))
    MEASURED.assert_holds("outputs", "outputs:", MEASURED.rows("outputs"))
    MEASURED.assert_holds("cost", "memory:", MEASURED.rows("cost"))
    for words in ("the cosine", "a horizon as long", "at least"):
        MEASURED.assert_holds("truncation", words, MEASURED.rows("truncation"))
    MEASURED.assert_holds("training", "one curve", MEASURED.rows("training"))


def test_figures_and_tables_can_be_made_of_the_rows() -> None:
    MEASURED.assert_shown()


def test_a_trial_s_hash_covers_all_that_it_uses() -> None:
    assert [part for part in STUDY.parts if MEASURED.beyond(part)] == []


def test_times_that_grow_as_in_theory_hold() -> None:
    assert len(MEASURED.claims("cost", _timed(USUAL))) == 6
    MEASURED.assert_holds("cost", "time:", _timed(USUAL))


def test_an_exponent_is_fitted_to_four_sizes_for_each_timing_of_its_own() -> None:
    rows = pd.concat([_timed(USUAL), _timed({**USUAL, "rtrl": 3.8}).assign(seed=1)])
    fitted = exponents(rows, "microseconds")["rtrl, read each step"]
    np.testing.assert_allclose(fitted.to_numpy(), [4.0, 3.8])
    assert exponents(_timed(USUAL, (128, 256, 512)), "microseconds") == {}
    said = MEASURED.claims("cost", _timed(USUAL, (128, 256, 512)))
    assert not [text for text in said if text.startswith("time:")]


def test_memories_cross_where_bptt_s_line_reaches_rtrl_s_constant() -> None:
    rows = _timed(USUAL)
    lengths = rows["sweep"] == "T"
    rows.loc[lengths, "megabytes"] = 0.5 + 0.01 * rows.loc[lengths, "length"]
    rows.loc[lengths & (rows["algorithm"] == "rtrl"), "megabytes"] = 1.5
    assert crossing(rows) == 100


def test_a_horizon_beyond_the_sequence_is_refused() -> None:
    with pytest.raises(UserError, match="horizon is 41, beyond length 40"):
        expand(STUDY.parts["truncation"].trial, {**SECTION["truncation"], "horizon": 41}, "cut")


def test_outputs_beyond_all_steps_are_refused() -> None:
    with pytest.raises(UserError, match="outputs is 257: there are 256 units in all steps"):
        expand(STUDY.parts["outputs"].trial, {**SECTION["outputs"], "outputs": 257}, "count")


@pytest.mark.parametrize("scale", params.SCALES)
def test_every_cell_there_is_is_held_to_exactness(scale: params.Scale) -> None:
    asked = params.trials("bptt_vs_rtrl", STUDY, scale).values()
    held = {entries["cell"] for entries in asked if entries["part"] in ("exactness", "stacks")}
    assert held == set(CELLS), "params/bptt_vs_rtrl.yaml: exactness.cell names each of them"


TAMPERED: dict[str, tuple[str, str, str, str, float]] = {
    "a gradient that is off": ("exactness", "rtrl: the", "relative_error", "block == 'W'", 1e-9),
    "a stack that is off": ("stacks", "rtrl: the", "relative_error", "layer == 'gru'", 1e-9),
    "two Jacobians": ("outputs", "one Jacobian", "apart", "outputs == 8", 1e-9),
    "a product that is not counted": (
        *("outputs", "by hand", "multiplications", "outputs == 8 and way == 'forwards'", 1),
    ),
    "an influence that hangs on what is read": (
        *("outputs", "whatever", "multiplications", "outputs == 8 and way == 'forwards'", 1),
    ),
    "a sweep that is dear": (
        *("outputs", "for one output", "multiplications", "way == 'backwards'", 10**9),
    ),
    "a border elsewhere": (
        *("outputs", "the border", "multiplications", "way == 'backwards' and outputs > 1", 10**9),
    ),
    "dense RTRL that is quick": ("cost", "RTRL's exponent", "microseconds", "read == 'step'", 1.0),
    "dense RTRL that is not n⁴": ("cost", "4 ± 0.5", "microseconds", "read == 'step'", 1.0),
    "blocked RTRL that is slow": (
        *("cost", "at most 3.2", "microseconds"),
        *("algorithm == 'blocked_rtrl' and hidden_size == 256", 1e12),
    ),
    "a matrix that grows": (
        *("cost", "not grow", "megabytes", "algorithm == 'rtrl' and length == 128", 9.0),
    ),
    "a history that does not": ("cost", "T^(1", "megabytes", "algorithm == 'bptt'", 1.0),
    "a matrix beyond the history": ("cost", "longest", "megabytes", "algorithm == 'rtrl'", 1e6),
    "a horizon that turns away": ("truncation", "never falls", "cosine", "horizon == 20", 0.1),
    "a gain that does not matter": ("truncation", "averaged", "cosine", "gain == 1.2", 0.999),
    "a whole horizon that is off": (
        *("truncation", "as long as", "relative_error", "horizon == 40", 1e-9),
    ),
    "a short window that is right": (
        *("truncation", "gain 0.7, horizon 1:", "cosine", "horizon == 1", 0.999),
    ),
    "a window that is not": ("truncation", "horizon 5: cosine", "cosine", "horizon == 5", 0.7),
    "a long one that is not": ("truncation", "horizon 20: cos", "cosine", "horizon == 20", 0.97),
    "curves apart": ("training", "one curve", "held_out_loss", "rule == 'rtrl'", 1.0),
    "a window that is of no use": (
        *("training", "the longest horizon learns", "held_out_loss", "horizon == 4", 9.0),
    ),
    "exact gradients that are": (
        *("training", "no worse than the longest", "held_out_loss", "rule == 'blocked_rtrl'", 9.0),
    ),
}
"""Part and claim; the column, the rows, and the value that they are tampered with."""


@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_claim_is_missed_on_tampered_rows(tampered: str) -> None:
    part, claim, column, which, value = TAMPERED[tampered]
    rows = _timed(USUAL) if part == "cost" else MEASURED.rows(part)
    rows.loc[rows.eval(which), column] = value
    MEASURED.assert_missed(part, claim, rows)
