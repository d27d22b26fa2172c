"""The study of memory: guessing, the longest lag, and what is said of runs that fail."""

import itertools
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.params import expand
from pipeline.studies.memory import STUDY
from pipeline.studies.memory.lags import longest
from pipeline.studies.memory.runs import Remembering, ends
from tests.measured import Measured
from tests.memory_study import GUESSING, MEASURED, TRAINED

LENGTHS = 10, 20, 40, 80


def solved_at(held: dict[str, dict[int, tuple[int, ...]]], delays: Any = None) -> pd.DataFrame:
    """Return rows in which each network solves those lengths, by seed."""
    return pd.DataFrame(
        {
            "network": name,
            "delays": (delays or {}).get(name),
            "seed": seed,
            "length": length,
            "step": 500,
            "guessed": None,
            "solved": length in solved,
        }
        for name, seeds in held.items()
        for (seed, solved), length in itertools.product(seeds.items(), LENGTHS)
    )


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", STUDY.parts)
def test_a_trials_hash_covers_all_that_it_uses(part: str):
    assert not MEASURED.beyond(part)


@pytest.mark.parametrize("part", ["lags", "tasks"])
def test_every_run_says_once_whether_it_solved_its_task(part: str):
    rows = MEASURED.rows(part)
    runs = rows.groupby(["network", "task", "length", "seed"])
    assert (runs["solved"].count() == 1).all()
    assert len(ends(rows)) == len(runs)


def test_a_table_of_two_bits_expects_the_xor_one_time_in_three():
    section = {"temporal_xor": {**TRAINED, "task": "temporal_xor", "length": 30, "cell": "srn",
               "network": "last two bits", "batch_size": 300, "held_out_size": 1_000}}  # fmt: skip
    error = Measured(STUDY, section, {}).rows("temporal_xor").groupby("place")["error"].mean()
    assert error["third"] == pytest.approx(1 / 9, abs=0.01)
    assert error[["first", "second"]].to_list() == pytest.approx([1 / 4 + 1 / 36] * 2, abs=0.01)


def test_what_a_trained_network_has_wrong_is_told_by_place():
    rows = MEASURED.rows("temporal_xor")
    srn = rows[(rows["network"] == "srn") & (rows["seed"] == 0)]
    error = srn[srn["record"] == "place"].set_index("place")["error"]
    last = pd.to_numeric(srn["held_out_loss"]).dropna().iloc[-1]
    # Of eight predictions three are of a third bit, three of a second, two of a first.
    assert last == pytest.approx(
        (3 * error["third"] + 3 * error["second"] + 2 * error["first"]) / 8
    )


def test_weights_drawn_at_random_hold_a_sign_and_the_draws_are_counted():
    rows = MEASURED.rows("lags")
    guessed = rows[rows["network"] == "guessing"]
    assert guessed["solved"].all()
    assert guessed["guessed"].between(1, GUESSING["guesses"]).all()
    assert (guessed["held_out_accuracy"] >= 0.99).all()
    other = MEASURED.rows("tasks")
    assert (other.loc[other["network"] == "guessing", "guessed"] == 3).all()


def test_the_longest_lag_ends_at_the_first_length_that_is_not_solved():
    rows = solved_at({"srn": {0: (10, 20, 80), 1: (), 2: LENGTHS, 3: (20, 40)}})
    # What solves none is told too long, at half of the shortest length, by the step of the grid.
    assert longest(rows)["srn"].to_dict() == {0: 20, 1: 5, 2: 80, 3: 5}


def test_a_network_that_holds_twice_as_long_and_more_passes_and_one_that_does_not_is_missed():
    delays = {"narx 2": 2, "narx 4": 4}
    srn = {0: (10,), 1: (10, 20)}
    far = {0: (10, 20, 40), 1: LENGTHS}
    rows = solved_at({"srn": srn, "narx 2": srn, "narx 4": far}, delays)
    MEASURED.assert_holds("lags", "≥ 2 × as long", rows)
    MEASURED.assert_holds("lags", "does not fall", rows)
    MEASURED.assert_missed("lags", "≥ 2 × as long", solved_at({"srn": srn, "narx 4": srn}, delays))
    MEASURED.assert_missed(
        "lags", "does not fall", solved_at({"srn": srn, "narx 2": far, "narx 4": srn}, delays)
    )


def test_guessing_that_takes_too_many_draws_or_solves_the_other_tasks_is_missed():
    rows = MEASURED.rows("lags")
    MEASURED.assert_holds("lags", "85 draws", rows.assign(guessed=84))
    MEASURED.assert_missed("lags", "85 draws", rows.assign(guessed=86))
    rows = MEASURED.rows("tasks")
    known = rows["solved"].notna()
    for task in ("temporal_order", "adding"):
        MEASURED.assert_holds("tasks", f"{task}, T = 10: 3 guesses", rows)
        better = rows.assign(solved=rows["solved"].where(~known, True))
        MEASURED.assert_missed("tasks", f"{task}, T = 10: 3 guesses", better)
        MEASURED.assert_holds("tasks", f"{task}, T = 10: gru", better)
        MEASURED.assert_missed("tasks", f"{task}, T = 10: gru", rows)


def test_a_run_that_diverged_solved_nothing():
    entries = MEASURED.trials("lags")[-1]
    rows = pd.DataFrame(MEASURED.run({**entries, "learning_rate": 1e30}))
    assert list(ends(rows)["solved"]) == [False]


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ({"network": "guessing"}, "guesses goes with the network 'guessing'"),
        ({"network": "srn", "guesses": 3, "spread": 1.0}, "and with no other"),
        ({"network": "guessing", "guesses": 3}, "guesses and spread go together"),
    ],
)
def test_a_network_that_contradicts_itself_is_one_line(of: dict[str, Any], says: str):
    section = {**TRAINED, "task": "latching", "cell": "srn", "length": 5, **of}
    with pytest.raises(UserError, match=says) as caught:
        expand(Remembering, section, "quick.lags")
    assert "\n" not in str(caught.value)


def test_what_is_predicted_can_be_judged_where_some_of_it_was_not_run():
    for part in STUDY.parts:
        rows = MEASURED.rows(part)
        for network in rows["network"].unique():
            MEASURED.claims(part, rows[rows["network"] == network])
