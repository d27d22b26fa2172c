"""The study ``online_algorithms`` at a size of seconds, run once."""

from typing import Any

from pipeline.studies.online_algorithms import STUDY
from tests import toy
from tests.measured import Measured

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
        "every": 20,
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
MEASURED = Measured(STUDY, SECTION, {"sunspots": toy.series()})
