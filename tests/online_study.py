"""The study ``online_algorithms`` at a size of seconds, run once."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_modules.registry import watch
from pipeline.fingerprint import Fingerprints
from pipeline.studies.online_algorithms import STUDY
from pipeline.study import Check, Trial, rows_of
from tests import toy

SECTION: dict[str, dict[str, Any]] = {
    "agreement": {
        "cells": ["srn", "elstm"],
        "algorithms": [
            *["blocked_rtrl", "diagonal_rtrl", "snap1", "snap_n", "rflo", "uoro", "kf_rtrl"],
            *["tbptt", "reservoir"],
        ],
        "horizons": [1, 20],
        "reference": "rtrl",
        "task": "lagged_sum",
        "hidden_size": 4,
        "warmup": 10,
        "length": 10,
        "draws": 4,
        "groups": 12,
        "copies": 2,
        "timed": 3,
        "repeats": 1,
        "seeds": 1,
    },
    "influence_balancing": {
        "cell": "srn",
        "activation": "linear",
        "algorithms": ["blocked_rtrl", "snap1", "tbptt"],
        "horizons": [10],
        "plus": 10,
        "minus": 13,
        "learning_rate": 0.0002,
        "steps": 900,
        "every": 300,
        "seeds": 1,
    },
    "staleness": {
        "cell": "srn",
        "algorithm": "blocked_rtrl",
        "reference": "bptt",
        "tasks": ["lagged_sum"],
        "learning_rates": [0.0, 0.0001, 0.001, 0.1],
        "hidden_size": 4,
        "batch_size": 2,
        "length": 60,
        "every": 20,
        "seeds": 1,
    },
    "forecasting": {
        "cell": "srn",
        "tasks": {"henon": {}, "mackey_glass": {"delay": 16}, "sunspots": {}},
        "algorithms": ["blocked_rtrl", "tbptt", "reservoir"],
        "horizons": [5],
        "window": 10,
        "hidden_size": 4,
        "lanes": 2,
        "reset_every": 15,
        "learning_rate": 0.001,
        "steps": 40,
        "last": 20,
        "held_out_size": 20,
        "seeds": 1,
    },
    "learning": {
        "cells": ["srn"],
        "tasks": {
            "adding": {"length": 4},
            "lagged_sum": {"length": 20, "first": 1, "second": 2},
        },
        "algorithms": ["blocked_rtrl", "snap1", "tbptt", "reservoir"],
        "horizons": [1],
        "hidden_size": 4,
        "batch_size": 2,
        "learning_rate": 0.01,
        "steps": {"adding": 40, "lagged_sum": 40},
        "evaluations": 2,
        "held_out_size": 20,
        "seeds": 1,
    },
}


def trials(part: str) -> list[Trial]:
    """Return the trials of a part."""
    section = STUDY.Params.model_validate(SECTION)
    return [trial for trial in STUDY.trials(section) if trial["part"] == part]


@functools.cache
def _run(part: str) -> tuple[pd.DataFrame, tuple[frozenset[str], ...]]:
    """Run a part; return its rows, and for each trial the modules used beyond its hash."""
    prints, rows, beyond = Fingerprints(STUDY, {"sunspots": ""}), [], []
    for trial in trials(part):
        with watch() as used, tempfile.TemporaryDirectory() as folder:
            measured = STUDY.run(trial, {"sunspots": toy.series()}, Path(folder))
        rows += [trial | row for row in measured]
        beyond.append(frozenset(used) - prints.reach(trial))
    return pd.DataFrame(rows), tuple(beyond)


def rows(part: str) -> pd.DataFrame:
    """Return the rows of a part, a copy to tamper with."""
    return rows_of(_run(part)[0], part).copy()


def beyond(part: str) -> tuple[frozenset[str], ...]:
    """Return the modules that each trial used and its hash does not cover."""
    return _run(part)[1]


def checks(part: str, rows: pd.DataFrame) -> dict[str, Check]:
    """Return the part's predictions, checked on the rows, by what they claim."""
    return {check.claim: check for check in STUDY.parts[part].expects(rows)}
