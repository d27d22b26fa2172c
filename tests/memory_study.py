"""The study ``memory`` at a size of seconds, run once."""

from typing import Any

from pipeline.studies.memory import STUDY
from tests.measured import Measured

TRAINED: dict[str, Any] = {
    "algorithm": "bptt",
    "hidden_size": 2,
    "batch_size": 8,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "steps": 4,
    "evaluations": 2,
    "held_out_size": 20,
    "seeds": 2,
}
GUESSING = {"cell": "srn", "guesses": 400, "spread": 100.0}
SECTION: dict[str, dict[str, Any]] = {
    "lags": {
        **TRAINED,
        "task": "latching",
        "network": {
            "guessing": GUESSING,
            "srn": {"cell": "srn"},
            "narx 2": {"cell": "narx", "delays": 2},
            "narx 4": {"cell": "narx", "delays": 4},
        },
        "length": [5, 10],
    },
    "temporal_xor": {
        **TRAINED,
        "task": "temporal_xor",
        "length": 8,
        "network": {"last two bits": {"cell": "srn"}, "srn": {"cell": "srn"}},
    },
    "tasks": {
        **TRAINED,
        "task": {"temporal_order": {"length": 10}, "adding": {"length": 10}},
        "network": {
            "guessing": {**GUESSING, "guesses": 3, "spread": 1.0},
            "gru": {"cell": "gru"},
            "lstm": {"cell": "lstm"},
        },
    },
}
MEASURED = Measured(STUDY, SECTION, {})
