"""The study of what networks of fixed weights compute: its arithmetic, on rows by hand too."""

from typing import Any

import pandas as pd
import pytest
import torch

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.saturated_linear import SaturatedLinear
from lightning_modules.training.sequence import SequenceLearner
from pipeline.studies import STUDIES
from pipeline.studies.computability.counting import reach, strings_right
from pipeline.studies.computability.depth import depths, kept_in_words
from pipeline.study import HOLDS
from pipeline.tasks.dyck1 import Dyck1
from tests.measured import Measured

SECTION: dict[str, Any] = {
    "depth": {
        "machine": {
            "parity": {"limit": 30},
            "unary_stack": {"limit": 60},
            "halving_counter": {"limit": 160},
            "palindromes": {"limit": 30, "seeds": 3},
            "binary_digits": {"limit": 80, "seeds": 3},
            "turing": {"limit": 30},
        },
        "number": ["rational", "float64", "float32"],
        "seeds": 1,
    },
    "counting": {
        "task": {"anbn": {"longest": 3, "asked": 5}, "dyck1": {"longest": 6, "asked": 12}},
        "cell": ["lstm", "srn"],
        "algorithm": "bptt",
        "optimizer": "adam",
        "learning_rate": 0.01,
        "hidden_size": 1,
        "batch_size": 2,
        "length": 6,
        "steps": 2,
        "evaluations": 1,
        "held_out_size": 10,
        "seeds": 1,
    },
    "steps": {
        "program": {"increment": {"ones": [12, 13]}, "busy_beaver_4": {"ones": 0}},
        "number": ["rational", "float64", "float32"],
        "seed": 0,
    },
}
MEASURED = Measured(STUDIES["computability"], SECTION, {})


@pytest.mark.parametrize("part", MEASURED.study.parts)
def test_a_trials_hash_covers_all_that_it_uses(part: str):
    assert MEASURED.beyond(part) == set()


def test_figures_and_tables_can_be_made_of_the_rows():
    MEASURED.assert_shown()


@pytest.mark.parametrize("part", ["depth", "steps"])
def test_what_is_exact_holds_as_far_as_it_was_tried(part: str):
    for words, claim in MEASURED.claims(part, MEASURED.rows(part)).items():
        if words.startswith("halving counter, float64"):
            continue  # 160 symbols do not reach it
        assert claim.verdict == HOLDS, claim


@pytest.mark.parametrize(
    ("machine", "number", "words"),
    [
        ("unary_stack", "float64", "unary stack, float64: 53"),
        ("unary_stack", "float32", "unary stack: as many as the digits say"),
        ("palindromes", "float32", "palindromes, float32: 12"),
        ("halving_counter", "float32", "halving counter, float32: 149"),
        ("binary_digits", "float64", "binary digits: as many as the digits say"),
        ("turing", "float64", "turing, float64: 26"),
    ],
)
def test_a_depth_that_is_off_by_one_is_missed(machine: str, number: str, words: str):
    for off in (-1, 1):
        rows = MEASURED.rows("depth")
        at = rows[(rows["machine"] == machine) & (rows["number"] == number)].index[0]
        rows.loc[at, "kept"] += off
        MEASURED.assert_missed("depth", words, rows)


@pytest.mark.parametrize(
    ("column", "value", "number", "words"),
    [
        ("lost", True, "rational", "in rationals nothing is lost"),
        ("lost", False, "float64", "unary stack, float64: 53"),
        ("right", False, "float32", "asked where nothing is lost yet"),
        ("right_beyond", True, "float32", "asked one symbol deeper"),
    ],
)
def test_one_run_that_is_otherwise_is_enough_to_miss(
    column: str, value: bool, number: str, words: str
):
    rows = MEASURED.rows("depth")
    at = rows[(rows["machine"] == "unary_stack") & (rows["number"] == number)].index[0]
    rows.loc[at, column] = value
    MEASURED.assert_missed("depth", words, rows)


def test_an_automaton_that_loses_something_is_missed():
    rows = MEASURED.rows("depth")
    rows.loc[rows[rows["machine"] == "parity"].index[0], "lost"] = True
    MEASURED.assert_missed("depth", "finite automata lose nothing", rows)


def test_a_turing_machine_that_goes_wrong_where_its_tape_fits_is_missed():
    rows = MEASURED.rows("steps")
    whole = rows["record"] == "whole"
    rows.loc[rows[whole].index[0], "exact"] -= 1
    MEASURED.assert_missed("steps", "every run is exact until", rows)
    rows = MEASURED.rows("steps")
    beaver = rows["program"] == "busy_beaver_4"
    rows.loc[whole & beaver & (rows["number"] == "float64"), "written"] = 12
    MEASURED.assert_missed("steps", "float64: the busy beaver", rows)
    MEASURED.assert_holds("steps", "rational: the busy beaver", rows)


def test_what_is_kept_is_told_as_one_number_two_or_all():
    rows = pd.DataFrame(
        {
            "machine": ["palindromes"] * 4,
            "number": ["float64", "float64", "float64", "rational"],
            "units": 10,
            "kept": [26, 27, 26, 1_500],
            "lost": [True, True, True, False],
            "limit": 1_500,
        }
    )
    assert kept_in_words(rows[:1]) == "26"
    assert kept_in_words(rows[:3]) == "26 to 27"
    assert kept_in_words(rows[3:]) == "all of 1,500"
    assert kept_in_words(rows) == "26 to 27, or all"
    assert depths(rows).iloc[0].to_dict() == {
        "machine": "palindromes",
        "units": 10,
        "float64": "26 to 27",
        "rational": "all of 1,500",
    }


def trained(**values: tuple[float, float]) -> pd.DataFrame:
    """Return rows by hand of what cells came to: a reach on a^n b^n, and Dyck-1."""
    of = {"lstm": (45.0, 1.0), "gru": (14.0, 0.5), "srn": (8.0, 0.3)} | values
    return pd.DataFrame(
        {"record": "end", "task": task, "cell": cell, "seed": seed, "hidden_size": 1}
        | {"longest": 10, "asked": 100, column: value + 0.001 * seed * (column == "reach")}
        for cell, (far, right) in of.items()
        for task, column, value in (("anbn", "reach", far), ("dyck1", "strings", right))
        for seed in range(3)
    )


@pytest.mark.parametrize(
    ("words", "otherwise"),
    [
        ("the LSTM reaches 2 times that", {"lstm": (15.0, 1.0)}),
        ("the LSTM reaches further", {"gru": (50.0, 0.5)}),
        ("from half the starts", {"lstm": (45.0, 0.98)}),
    ],
)
def test_a_cell_that_counts_less_far_is_missed(words: str, otherwise: dict[str, Any]):
    MEASURED.assert_holds("counting", words, trained())
    MEASURED.assert_missed("counting", words, trained(**otherwise))


def counter(input_size: int, up: list[float], readout: list[list[float]], bias: list[float]) -> Any:
    """Return a learner whose one unit of 1/64 steps counts by hand."""
    cell = SaturatedLinear(input_size, 1)
    learner = SequenceLearner(cell, len(bias), "cross_entropy", BPTT(), None, "sgd", 0.1)
    with torch.no_grad():
        cell.U.copy_(torch.tensor([up]) / 64)
        cell.W.fill_(1)
        cell.b.zero_()
        learner.readout.weight.copy_(torch.tensor(readout) * 64)
        learner.readout.bias.copy_(torch.tensor(bias))
    return learner


def test_a_unit_that_counts_by_hand_reaches_as_far_as_it_holds():
    # Up by 1 with a, down by 1 with b; the newline, -1/2, marks where b follows.
    learner = counter(3, [1.0, -1.0, 0.0], [[-9.0], [1.0], [0.0]], [-9.0, 0.0, 0.5])
    assert reach(learner, 20) == 20
    assert reach(learner, 100) == 64


def test_brackets_that_are_counted_are_all_right_and_the_last_one_alone_is_not_enough():
    longer = Dyck1(0, 5, 40, 60)
    counts = counter(2, [1.0, -1.0], [[0.0], [1.0]], [0.5, 0.0])
    assert strings_right(counts, longer)["strings"] == 1
    looks = counter(2, [64.0, -64.0], [[0.0], [1.0]], [0.5, 0.0])
    assert strings_right(looks, longer)["strings"] < 0.2
