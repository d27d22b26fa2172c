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
    "optimizer": "sgd",
    "seeds": 2,
}
PROBLEM: dict[str, Any] = {
    "length": 10,
    "steps": 4,
    "evaluate_every": 2,
    "held_out_size": 40,
    "learning_rate": 0.1,
    "clip": {"none": None, "norm": {"threshold": 0.01}},
    "varied": "nothing",
}
RATES = {"learning_rate": 0.3}
EVERYTHING: dict[str, Any] = {
    "nothing": None,
    "threshold": {
        "clip": {
            "norm": {"threshold": [0.001, 1.0]},
            "value": {"threshold": 0.0001},
            "adaptive": {"threshold": 0.0001},
        }
    },
    "decay": {"decay": {"l2": {"strength": [0.001, 0.1]}, "l1": {"strength": 0.01}}},
    "rate": RATES,
}
SECTION: dict[str, dict[str, Any]] = {
    "learning": {
        **SHARED,
        "probes": {"clipping": {"every": 1}, "direction": {"every": 1}},
        "task": {
            "temporal_order": {**PROBLEM, "varied": EVERYTHING, "success": 0.01},
            "adding": {**PROBLEM, "success": 9.0},
            "next_character": {
                **PROBLEM,
                "dataset": "tiny_shakespeare",
                "varied": {"nothing": None, "rate": RATES},
            },
        },
    },
    "smoothness": {
        **SHARED,
        "task": "temporal_order",
        "length": 10,
        "steps": 8,
        "evaluate_every": 2,
        "held_out_size": 10,
        "learning_rate": 0.1,
        "clip": "norm",
        "threshold": 1.0,
    },
}
MEASURED = Measured(STUDY, SECTION, {"tiny_shakespeare": toy.text()})
