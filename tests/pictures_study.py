"""The studies of pictures at a size of seconds, each run once."""

from typing import Any

import pandas as pd

from pipeline.studies import STUDIES
from pipeline.study import Check
from tests import toy
from tests.measured import Measured

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
            "gain": 4.0,
            "learning_rate": 0.01,
            "anneal": True,
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


MEASURED = {
    name: Measured(STUDIES[name], section, {"mnist": toy.images()})
    for name, section in SECTIONS.items()
}


def check(name: str, part: str, rows: pd.DataFrame, words: str) -> Check:
    """Return the one prediction whose claim has these words."""
    (found,) = [c for claim, c in MEASURED[name].checks(part, rows).items() if words in claim]
    return found
