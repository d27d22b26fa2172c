"""The study ``lstm_gates`` at a size of seconds, run once."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_modules.registry import watch
from pipeline.fingerprint import Fingerprints
from pipeline.studies.lstm_gates import STUDY
from pipeline.study import Check, Trial, rows_of
from tests import toy

VARIANTS: dict[str, Any] = {
    "cells": ["lstm", "coupled_lstm", "gru", "residual", "srn"],
    "without": ["input", "forget", "output_activation"],
    "forget_biases": [-1.0, 4.0],
    "chrono": True,
    "horizons": [1],
}
SETTING: dict[str, Any] = {
    "length": 10,
    "longest": 10,
    "hidden_size": 4,
    "batch_size": 4,
    "learning_rate": 0.01,
    "clip": 1.0,
    "steps": 6,
}
PROBES = {"gates": {"every": 1}, "horizon": {}, "error_flow": {}}
SHARED = {"evaluations": 3, "probes": PROBES, "seeds": 1}
SECTION: dict[str, dict[str, Any]] = {
    "bias": {
        "cells": ["lstm", "gru"],
        "biases": [-1.0, 0.0, 1.0],
        "longest": [10],
        "input_size": 3,
        "hidden_size": 12,
        "batch_size": 2,
        "length": 50,
        "seeds": 2,
    },
    "memory": {
        "variants": VARIANTS,
        "tasks": {
            "adding": SETTING,
            "temporal_order": SETTING,
            "embedded_reber": {**SETTING, "length": None},
        },
        **SHARED,
        "held_out_size": 40,
    },
    "text": {"variants": VARIANTS, "setting": SETTING, **SHARED, "held_out_size": 50},
}


def trials(part: str) -> list[Trial]:
    """Return the trials of a part."""
    section = STUDY.Params.model_validate(SECTION)
    return [trial for trial in STUDY.trials(section) if trial["part"] == part]


def run(trial: Trial) -> list[dict[str, Any]]:
    """Return the rows of one trial."""
    with tempfile.TemporaryDirectory() as folder:
        measured = STUDY.run(trial, {"tiny_shakespeare": toy.text(100)}, Path(folder))
    return [trial | row for row in measured]


@functools.cache
def _run(part: str) -> tuple[pd.DataFrame, tuple[frozenset[str], ...]]:
    """Run a part; return its rows, and for each trial the modules used beyond its hash."""
    prints, rows, beyond = Fingerprints(STUDY, {"tiny_shakespeare": ""}), [], []
    for trial in trials(part):
        with watch() as used:
            rows += run(trial)
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
