"""The study ``lstm_gates`` at a size of seconds, run once."""

from typing import Any

from pipeline.studies.lstm_gates import STUDY
from tests import toy
from tests.measured import Measured

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
MEASURED = Measured(STUDY, SECTION, {"tiny_shakespeare": toy.text(100)})
