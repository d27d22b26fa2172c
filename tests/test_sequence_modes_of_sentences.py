"""Classes and tags in the study of sequences: claims hold, or must be missed."""

import dataclasses
from typing import Any

import pandas as pd
import pytest

from pipeline.measuring import reading
from pipeline.studies import STUDIES
from pipeline.studies.sequence_modes import classes, tagging
from tests.measured import Measured
from tests.toy import requests, tagged

SMALL = {"word_size": 4, "hidden_size": 4}
CHANNEL = {"character_size": 2, "character_units": 2}
TRAINED: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 0.05,
    "anneal": True,
    "batch_size": 5,
    "steps": 6,
    "evaluations": 2,
    "held_out_size": 15,
    "unknown_rate": 0.3,
    "seeds": 2,
}
SECTION: dict[str, Any] = {
    "classes": {
        **TRAINED,
        "task": "sentence_class",
        "dataset": {"snips": {"goals": {"last": 10}}, "banking77": {"goals": {"last": 10}}},
        "method": {
            **{
                pooling: {
                    "network": "sequence_classifier",
                    "options": {"pooling": pooling, **SMALL},
                }
                for pooling in ("last", "mean", "maximum")
            },
            **{name: {"counting": name, "seeds": 1} for name in classes.COUNTED},
        },
        "flow_length": 3,
    },
    "tagging": {
        **TRAINED,
        "task": "word_tags",
        "dataset": "ewt",
        "method": {
            tagging.SRN: {"network": "tagger", "options": {**SMALL, "layer": "srn"}},
            tagging.WORDS: {"network": "tagger", "options": {**SMALL, "both": True}},
            tagging.SPELT: {
                "network": "tagger",
                "options": {**SMALL, **CHANNEL, "both": True},
                "at_least": 20,
            },
            **{name: {"counting": name, "seeds": 1} for name in tagging.COUNTED},
        },
    },
}
_WHOLE = STUDIES["sequence_modes"]
STUDY = dataclasses.replace(_WHOLE, parts={part: _WHOLE.parts[part] for part in SECTION})
MEASURED = Measured(STUDY, SECTION, {"snips": requests(), "banking77": requests(), "ewt": tagged()})


@pytest.mark.parametrize("part", SECTION)
def test_a_trial_s_hash_covers_all_that_it_uses(part: str) -> None:
    assert not MEASURED.beyond(part)


def test_figures_and_tables_can_be_made_of_the_rows() -> None:
    MEASURED.assert_shown()


def test_a_trial_gives_the_same_rows_again() -> None:
    for part in SECTION:
        entries = MEASURED.trials(part)[0]
        assert MEASURED.run(entries) == MEASURED.run(entries)


def _ends(rows: pd.DataFrame, right: dict[str, float], column: str = "right") -> pd.DataFrame:
    """Return the rows with the looks at the test part as given, by method, a little apart."""
    tests = rows["record"] == "test"
    for name, value in right.items():
        at = tests & (rows["method"] == name)
        rows.loc[at, column] = value + 0.01 * rows.loc[at, "seed"]
    return rows


def test_goals_and_counting_decide_what_is_claimed_of_classes() -> None:
    names = ("last", "mean", "maximum")
    good = _ends(MEASURED.rows("classes"), dict.fromkeys(names, 50.0) | {classes.STRONGEST: 90.0})
    for words in ("at least 10 %", "no network is right", "mean and maximum are not right"):
        MEASURED.assert_holds("classes", words, good)
    bad = _ends(good, dict.fromkeys(names, 5.0) | {"mean": 95.0})
    for words in ("at least 10 %", "no network is right", "mean and maximum are not right"):
        MEASURED.assert_missed("classes", words, bad)


def test_error_that_goes_elsewhere_is_missed() -> None:
    rows = MEASURED.rows("classes")
    flow, early = rows["record"] == "flow", rows["back"] > 0
    for name, share in (("last", 0.01), ("mean", 0.9), ("maximum", 0.9)):
        at = flow & early & (rows["method"] == name)
        rows.loc[at, "share"] = share + 0.01 * rows.loc[at, "seed"] % 0.05
    for words in ("less than a tenth", "more than half", "less than from the others"):
        MEASURED.assert_holds("classes", words, rows)
    other = rows.assign(method=rows["method"].replace({"last": "mean", "mean": "last"}))
    for words in ("less than a tenth", "more than half", "less than from the others"):
        MEASURED.assert_missed("classes", words, other)


def test_the_last_state_sends_error_to_the_last_word_and_the_mean_to_all() -> None:
    rows = MEASURED.rows("classes")
    drawn = classes.shares(rows, "as drawn")
    assert (drawn["last"] < drawn["mean"]).all()
    assert (drawn["last"] < drawn["maximum"]).all()
    ends = rows[(rows["record"] == "flow") & (rows["back"] == 0)]
    assert (ends["share"] == 1).all()
    assert (ends["norm"] > 0).all()


def test_goals_counting_and_unknown_words_decide_what_is_claimed_of_tags() -> None:
    taggers = dict.fromkeys(tagging.METHODS, 80.0)
    rows = _ends(MEASURED.rows("tagging"), taggers | {tagging.BY_ENDING: 60.0})
    rows = _ends(rows, {tagging.WORDS: 85.0, tagging.SPELT: 86.0}, "known")
    rows = _ends(rows, {tagging.WORDS: 40.0, tagging.SPELT: 60.0}, "unknown")
    words = ("at least 20 %", "every network", "characters help", "and unknown words more")
    for said in words:
        MEASURED.assert_holds("tagging", said, _jittered(rows))
    rows = _ends(rows, dict.fromkeys(tagging.METHODS, 15.0))
    rows = _ends(rows, {tagging.WORDS: 40.0, tagging.SPELT: 80.0}, "known")
    rows = _ends(rows, {tagging.WORDS: 40.0, tagging.SPELT: 41.0}, "unknown")
    for said in words:
        MEASURED.assert_missed("tagging", said, _jittered(rows))


def _jittered(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with unknown words that differ a little by seed as gains."""
    at = (rows["record"] == "test") & (rows["method"] == tagging.SPELT)
    rows = rows.copy()
    rows.loc[at, "unknown"] += 0.1 * rows.loc[at, "seed"]
    return rows


def test_known_and_unknown_words_make_up_all() -> None:
    rows = reading.ends(MEASURED.rows("tagging"))
    test = tagged().test
    known = sum(w in {"dog", "runs", "Big", "a"} for s in test for w in s.words)
    of_all = known / sum(len(s.words) for s in test)
    together = of_all * rows["known"] + (1 - of_all) * rows["unknown"]
    assert (together - rows["right"]).abs().max() < 1e-9


def test_what_was_chosen_on_held_out_words_is_what_the_test_saw() -> None:
    rows = MEASURED.rows("classes")
    for _, run in rows.groupby(["dataset", "method", "seed"]):
        (test,) = run[run["record"] == "test"].to_dict("records")
        if test["method"] in classes.COUNTED:
            continue
        curve = run[run["record"] == "curve"].set_index("step")["right"]
        assert test["held_out_right"] == curve.max() == curve[test["chosen"]]
        assert test["chosen"] == curve.idxmax(), "the first of the best"


def test_a_trial_is_of_a_network_or_of_counting() -> None:
    entries = MEASURED.trials("tagging")[0]
    own = {name: value for name, value in entries.items() if name != "part"}
    with pytest.raises(ValueError, match="give one of network and counting"):
        tagging.Tagging.model_validate(own | {"counting": "most frequent tag"})
    with pytest.raises(ValueError, match="did you mean 'most frequent tag'"):
        tagging.Tagging.model_validate(own | {"network": None, "counting": "most frequnt tag"})
