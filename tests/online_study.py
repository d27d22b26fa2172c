"""The study ``online_algorithms`` at a size of seconds, run once."""

from typing import Any

from pipeline.studies.online_algorithms import STUDY
from tests import toy
from tests.measured import Measured

SECTION: dict[str, dict[str, Any]] = {
    "agreement": {
        "cell": ["srn", "elstm"],
        "algorithm": {
            **dict.fromkeys(["blocked_rtrl", "diagonal_rtrl", "snap1", "snap_n", "rflo"]),
            **dict.fromkeys(["uoro", "kf_rtrl"]),
            "tbptt": {"horizon": [1, 20]},
            "reservoir": None,
        },
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
        "seed": 0,
    },
    "influence_balancing": {
        "cell": "srn",
        "activation": "linear",
        "algorithm": {"blocked_rtrl": None, "snap1": None, "tbptt": {"horizon": 10}},
        "plus": 10,
        "minus": 13,
        "learning_rate": 0.0002,
        "steps": 900,
        "every": 300,
        "seed": 0,
    },
    "staleness": {
        "cell": "srn",
        "algorithm": "blocked_rtrl",
        "reference": "bptt",
        "task": "lagged_sum",
        "learning_rate": [0.0, 0.0001, 0.001, 0.1],
        "hidden_size": 4,
        "batch_size": 2,
        "length": 60,
        "every": 20,
        "seed": 0,
    },
    "forecasting": {
        "cell": "srn",
        "task": {
            "henon": None,
            "mackey_glass": {"delay": 16},
            "sunspots": {"dataset": "sunspots"},
        },
        "algorithm": {
            "blocked_rtrl": None,
            "tbptt": [{"horizon": 5}, {"horizon": 10, "stride": 10, "update_every": 10}],
            "reservoir": None,
        },
        "update_every": 1,
        "hidden_size": 4,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "batch_size": 2,
        "length": 10,
        "reset_every": 15,
        "steps": 40,
        "evaluate_every": 20,
        "held_out_size": 20,
        "seed": 0,
    },
    "learning": {
        "cell": "srn",
        "task": {
            "adding": {"length": 4},
            "lagged_sum": {"length": 20, "first": 1, "second": 2},
        },
        "algorithm": {
            "blocked_rtrl": None,
            "snap1": None,
            "tbptt": {"horizon": 1},
            "reservoir": None,
        },
        "update_every": 1,
        "hidden_size": 4,
        "optimizer": "adam",
        "learning_rate": 0.01,
        "batch_size": 2,
        "steps": 40,
        "evaluations": 2,
        "held_out_size": 20,
        "seed": 0,
    },
}
MEASURED = Measured(STUDY, SECTION, {"sunspots": toy.series()})
