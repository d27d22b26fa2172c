"""The study ``cures`` at a size of seconds, run once."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_modules.registry import watch
from pipeline.fingerprint import Fingerprints
from pipeline.studies.cures import STUDY
from pipeline.study import Check, Trial, rows_of
from tests import toy

SHARED: dict[str, Any] = {
    "cell": "srn",
    "algorithm": "bptt",
    "hidden_size": 4,
    "deviation": 0.5,
    "batch_size": 3,
    "seeds": 2,
}
PROBLEM: dict[str, Any] = {
    "length": 10,
    "steps": 4,
    "evaluate_every": 2,
    "held_out_size": 40,
    "success": None,
    "learning_rate": 0.1,
    "clip": 0.01,
    "thresholds": {},
    "decays": {},
    "learning_rates": [],
}
EVERYTHING: dict[str, Any] = {
    "thresholds": {"norm": [0.001, 1.0], "value": [0.0001], "adaptive": [0.0001]},
    "decays": {"l2": [0.001, 0.1], "l1": [0.01]},
    "learning_rates": [0.3],
}
SECTION: dict[str, dict[str, Any]] = {
    "learning": {
        **SHARED,
        "problems": {
            "temporal_order": {**PROBLEM, **EVERYTHING, "success": 0.01},
            "adding": {**PROBLEM, "success": 9.0},
            "next_character": {**PROBLEM, "learning_rates": [0.3]},
        },
    },
    "smoothness": {
        **SHARED,
        "tasks": {
            "temporal_order": {
                "length": 10,
                "steps": 8,
                "every": 2,
                "held_out_size": 10,
                "learning_rate": 0.1,
                "threshold": 1.0,
            },
        },
    },
}


def trials(part: str) -> list[Trial]:
    """Return the trials of a part."""
    section = STUDY.Params.model_validate(SECTION)
    return [trial for trial in STUDY.trials(section) if trial["part"] == part]


def run(trial: Trial) -> list[dict[str, Any]]:
    """Run one trial."""
    with tempfile.TemporaryDirectory() as folder:
        return STUDY.run(trial, {"tiny_shakespeare": toy.text()}, Path(folder))


@functools.cache
def _run(part: str) -> tuple[pd.DataFrame, tuple[frozenset[str], ...]]:
    """Run a part; return its rows, and for each trial the modules used beyond its hash."""
    prints, rows, beyond = Fingerprints(STUDY, {"tiny_shakespeare": ""}), [], []
    for trial in trials(part):
        with watch() as used:
            rows += [trial | row for row in run(trial)]
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
