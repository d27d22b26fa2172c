"""The studies of pictures at a size of seconds: predictions hold, or fail as they must."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lightning_modules.registry import watch
from pipeline.fingerprint import Fingerprints
from pipeline.studies import STUDIES
from pipeline.study import Check, Study, Table, rows_of
from tests import toy

TRAINED: dict[str, Any] = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 5, "steps": 4}
WHOLE = {**TRAINED, "task": "images"}
ROWS = {**TRAINED, "task": "row_images"}
LOCAL = {"maps": 2, "size": 5, "stride": 2}
SHARED = {"evaluations": 2, "held_out_size": 10, "probes": {"error_flow": {}}}
SECTIONS: dict[str, dict[str, Any]] = {
    "weight_sharing": {
        "counts": {},
        "equivariance": {"maps": 2, "size": 5, "stride": 2, "pictures": 3, "seeds": 2},
        "places": {
            "forms": {
                "dense": {**WHOLE, "size": 28, "network": "mlp", "options": {"hidden": [6]}},
                "local": {**WHOLE, "size": 28, "network": "locally_connected", "options": LOCAL},
                "shared": {**WHOLE, "size": 28, "network": "convolutional", "options": LOCAL},
            },
            "train_sizes": [10, 30],
            "shifts": [0, 4],
            "seeds": 1,
            **SHARED,
        },
        "time": {
            "forms": {
                "tied": {**ROWS, "cell": "srn", "options": {"hidden_size": 4}, "clip": 1.0},
                "untied": {
                    **ROWS,
                    "network": "untied",
                    "options": {"hidden_size": 4, "length": 3},
                },
                "tdnn": {**ROWS, "network": "tdnn", "options": {"hidden": [3], "delays": [3]}},
            },
            "train_sizes": [10],
            "seeds": 1,
            **SHARED,
        },
    },
    "pooling": {
        "worked": {"side": 20, "window": 10},
        "trained": {
            "modern": {**WHOLE, "network": "modern_lenet5", "size": 28},
            "poolings": ["maximum", "mean"],
            "windows": [1, 2, 3, 4],
            "classic": {**WHOLE, "network": "lenet5", "size": 28},
            "train_size": None,
            "seeds": 1,
            **SHARED,
        },
    },
    "mnist_classifiers": {
        "classifiers": {
            "classifiers": {
                "MLP": {
                    **WHOLE,
                    "network": "mlp",
                    "options": {"hidden": [4]},
                    "at_most": 99,
                    "seeds": 2,
                },
                "by rows": {
                    **ROWS,
                    "cell": "lstm",
                    "options": {"hidden_size": 4},
                    "at_most": 99,
                    "seeds": 1,
                },
            },
            "train_size": None,
            **SHARED,
        },
        "reconstruction": {
            "hidden": [5, 2],
            "pretraining": [0, 3],
            "learning_rate": 0.01,
            "batch_size": 5,
            "steps": 4,
            "evaluations": 2,
            "train_size": None,
            "held_out_size": 10,
            "at_most": 6,
            "seeds": 1,
        },
    },
}


@functools.cache
def _run(name: str) -> tuple[pd.DataFrame, frozenset[str]]:
    """Run a study; return its rows, and the modules used beyond what a trial's hash covers."""
    study: Study = STUDIES[name]
    prints, rows, beyond = Fingerprints(study, {"mnist": ""}), [], frozenset()
    for trial in study.trials(study.Params.model_validate(SECTIONS[name])):
        with tempfile.TemporaryDirectory() as folder, watch() as used:
            measured = study.run(trial, {"mnist": toy.images()}, Path(folder))
        rows += [trial | row for row in measured]
        beyond |= frozenset(used) - prints.reach(trial)
    return pd.DataFrame(rows), beyond


def _rows(name: str, part: str) -> pd.DataFrame:
    return rows_of(_run(name)[0], part).copy()


def _checks(name: str, part: str, rows: pd.DataFrame) -> dict[str, Check]:
    return {check.claim: check for check in STUDIES[name].parts[part].expects(rows)}


def _check(name: str, part: str, rows: pd.DataFrame, words: str) -> Check:
    (check,) = [c for claim, c in _checks(name, part, rows).items() if words in claim]
    return check


@pytest.mark.parametrize("name", SECTIONS)
def test_a_trials_hash_covers_all_that_it_uses(name: str):
    assert not _run(name)[1]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_table_can_be_built(name: str):
    for part_name, part in STUDIES[name].parts.items():
        for shown in part.figures:
            if isinstance(shown, Table):
                assert len(shown.build(_rows(name, part_name)))


@pytest.mark.parametrize(
    ("name", "part"),
    [("weight_sharing", "counts"), ("weight_sharing", "equivariance"), ("pooling", "worked")],
)
def test_what_is_exact_holds_at_any_size(name: str, part: str):
    for check in _checks(name, part, _rows(name, part)).values():
        assert check.holds, check


def test_a_count_that_is_off_by_one_is_missed():
    rows = _rows("weight_sharing", "counts")
    at = rows[(rows["counted"] == "LeNet-5") & (rows["module"] == "C3")].index[0]
    rows.loc[at, ["parameters", "connections"]] += 1
    for words in ("LeNet-5: 60,000 parameters", "340,908"):
        assert not _check("weight_sharing", "counts", rows, words).holds
    assert _check("weight_sharing", "counts", rows, "AlexNet: 60,965,224").holds
    rows.loc[rows["counted"] == "local filters", "parameters"] += 1
    assert not _check("weight_sharing", "counts", rows, "144").holds


def test_units_that_do_not_move_with_the_picture_are_found_out():
    rows = _rows("weight_sharing", "equivariance")
    swapped = rows.assign(form=rows["form"].replace({"shared": "local", "local": "shared"}))
    for words in ("shared filters see moves", "local units see does not"):
        assert not _check("weight_sharing", "equivariance", swapped, words).holds


@pytest.mark.parametrize("words", ["10 digits", "30 digits", "moved by 4 pixels"])
def test_the_shared_form_has_to_be_wrong_least_often(words: str):
    rows = _rows("weight_sharing", "places")
    shared = rows["form"] == "shared"
    better = rows.assign(wrong=rows["wrong"].where(~shared, 0.0).where(shared, 50.0))
    assert _check("weight_sharing", "places", better, words).holds
    worse = rows.assign(wrong=rows["wrong"].where(~shared, 51.0).where(shared, 50.0))
    assert not _check("weight_sharing", "places", worse, words).holds


def test_tied_steps_have_to_be_wrong_less_often_and_to_be_fewer():
    rows = _rows("weight_sharing", "time")
    of = {"tied": 20.0, "untied": 30.0, "tdnn": 40.0}
    better = rows.assign(
        wrong=rows["form"].map(of), parameters=rows["form"].map({**of, "untied": 999})
    )
    assert _check("weight_sharing", "time", better, "10 digits: tied").holds
    assert _check("weight_sharing", "time", better, "twenty times").holds
    worse = better.assign(wrong=-better["wrong"], parameters=20.0)
    assert not _check("weight_sharing", "time", worse, "10 digits: tied").holds
    assert not _check("weight_sharing", "time", worse, "twenty times").holds


def test_a_digit_that_is_not_the_one_by_hand_is_missed():
    rows = _rows("pooling", "worked")
    for example, words in (("convolution", "3×3 filter"), ("maximum", "maximum"), ("mean", "mean")):
        other = rows.copy()
        other.loc[other[other["example"] == example].index[0], "value"] += 1
        assert not _check("pooling", "worked", other, words).holds


def test_poolings_are_compared_by_their_means():
    rows = _rows("pooling", "trained")
    by_window = {1: 2.0, 2: 1.0, 3: 1.5, 4: 3.0}
    wrong = rows["window"].map(by_window) + (rows["pooling"] == "mean")
    checks = _checks("pooling", "trained", rows.assign(wrong=wrong))
    assert len(checks) == 4
    assert all(check.holds for check in checks.values())
    assert not any(
        check.holds for check in _checks("pooling", "trained", rows.assign(wrong=-wrong)).values()
    )


def test_a_classifier_is_held_to_its_mean_over_seeds():
    rows = _rows("mnist_classifiers", "classifiers")
    assert rows.loc[rows["wrong"].notna(), "wrong"].between(0, 100).all()
    better, worse = rows.assign(wrong=98.0), rows.assign(wrong=100.0)
    for name in ("MLP", "by rows"):
        assert _check("mnist_classifiers", "classifiers", better, name).holds
        assert not _check("mnist_classifiers", "classifiers", worse, name).holds


def test_the_autoencoder_is_held_to_its_error_and_the_components_to_mnists():
    rows = _rows("mnist_classifiers", "reconstruction")
    assert set(rows["method"]) == {
        "principal components",
        "autoencoder",
        "autoencoder, pre-trained",
    }
    claims = _checks("mnist_classifiers", "reconstruction", rows.assign(error=5.0))
    assert len(claims) == 2, "what is no MNIST is not held to its components"
    assert all(check.holds for check in claims.values())
    mnist = rows.assign(pictures=60_000, hidden="[1000, 30]", error=13.9)
    checks = list(_checks("mnist_classifiers", "reconstruction", mnist).values())
    assert [check.holds for check in checks] == [True, False, False]
