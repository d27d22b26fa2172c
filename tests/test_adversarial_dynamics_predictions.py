"""Claims of the study of games, on rows by hand: they hold as expected, or are missed."""

import math
from typing import Any

import pandas as pd

from pipeline.studies.adversarial_dynamics.gaussian import LAZY
from tests.test_adversarial_dynamics import MEASURED

GAUSSIAN = {"value": -1.385, "best": -1.38, "by_entropies": -1.38, "lazy": LAZY}


def on_a_line(**end: float) -> pd.DataFrame:
    """Return rows by hand of the game of one dimension."""
    start = {"value": -1.4, "best": -0.4, "by_entropies": -0.4, "lazy": LAZY}
    return pd.DataFrame(
        {"record": record, "seed": seed, **values}
        for seed in range(5)
        for record, values in (("start", start), ("end", {**GAUSSIAN, **end}))
    )


def test_the_game_of_one_dimension_holds_on_rows_as_expected_and_is_missed_on_others() -> None:
    for words in MEASURED.claims("gaussian", on_a_line()):
        MEASURED.assert_holds("gaussian", words, on_a_line())
    for words, end in (
        ("by an integral each", {"by_entropies": -1.37}),
        ("no discriminator is above", {"value": -1.37}),
        ("a D that says ½", {"lazy": -1.3}),
        ("in the end V(D) and V(D*)", {"best": -1.2, "by_entropies": -1.2}),
    ):
        MEASURED.assert_missed("gaussian", words, on_a_line(**end))


FOUND = {
    "plain": (4, 0.7, 0.5),
    "R1": (25, 0.85, 0.2),
    "kernel density": (25, 0.97, math.nan),
    "one Gaussian": (2, 0.1, math.nan),
}
"""Modes found, good samples, and what turns in the end."""


def in_the_plane(**methods: tuple[float, float, float]) -> pd.DataFrame:
    """Return rows by hand."""
    rows: list[dict[str, Any]] = []
    for arrangement, of in (("ring", 8), ("square", 25)):
        for method, (modes, good, turns) in {**FOUND, **methods}.items():
            for seed in range(3):
                told = {"arrangement": arrangement, "method": method, "seed": seed}
                counted = {"modes": min(modes, of), "good": good + 0.001 * seed}
                rows.append({**told, "record": "end", "of": of, "uneven": 0.1, **counted})
                if turns == turns:
                    spectrum = {"step": 9, "quantity": "rotation", "value": turns + 0.001 * seed}
                    rows.append({**told, "record": "probe", **spectrum})
    return pd.DataFrame(rows)


def test_modes_hold_on_rows_as_expected_and_are_missed_on_others() -> None:
    claims = MEASURED.claims("modes", in_the_plane())
    assert len(claims) == 7
    for words in claims:
        MEASURED.assert_holds("modes", words, in_the_plane())
    for words, otherwise in (
        ("modes are found", {"R1": (3, 0.85, 0.2)}),
        ("more samples are good", {"R1": (25, 0.3, 0.2)}),
        ("a kernel density has", {"R1": (25, 0.99, 0.2)}),
        ("less of the field turns", {"R1": (25, 0.85, 0.6)}),
    ):
        MEASURED.assert_missed("modes", words, in_the_plane(**otherwise))


JUDGED = {"game": (0.97, 0.93, 0.9, 0.95), "real digits": (0.99, 0.97, 1.0, 0.98)}


def judged(own: float = 3.0, **methods: Any) -> pd.DataFrame:
    """Return rows by hand of digits that were judged."""
    rows: list[dict[str, Any]] = []
    for method, seen in {**JUDGED, **methods}.items():
        names = "recognised", "weakest", "variety", "score"
        for seed in range(3):
            told = {name: value + 0.001 * seed for name, value in zip(names, seen, strict=True)}
            rows.append({"method": method, "seed": seed, "record": "end", **told})
    rows += [
        {"method": "game", "seed": seed, "record": "label", "own": own + 0.01 * seed, "other": 1.0}
        for seed in range(3)
    ]
    return pd.DataFrame(rows)


def test_digits_hold_on_rows_as_expected_and_are_missed_on_others() -> None:
    claims = MEASURED.claims("digits", judged())
    assert len(claims) == 5
    for words in claims:
        MEASURED.assert_holds("digits", words, judged())
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("95 % are recognised", {"game": (0.93, 0.91, 0.9, 0.95)}),
        ("the weakest class 90 %", {"game": (0.97, 0.85, 0.9, 0.95)}),
        ("they vary 0.7 to 1.3", {"game": (0.97, 0.93, 0.4, 0.95)}),
        ("told another class", {"own": 0.5}),
        ("is right less often", {"game": (0.97, 0.93, 0.9, 0.99)}),
    )
    for words, otherwise in changes:
        MEASURED.assert_missed("digits", words, judged(**otherwise))
