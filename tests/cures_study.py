"""The study ``cures`` at a size of seconds, run once."""

from typing import Any

from pipeline.studies.cures import STUDY
from tests import toy
from tests.measured import Measured

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
MEASURED = Measured(STUDY, SECTION, {"tiny_shakespeare": toy.text()})
