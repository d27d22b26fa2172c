"""The studies of pictures at a size of seconds, each run once."""

from typing import Any

import pandas as pd

from pipeline.studies import STUDIES
from pipeline.study import Claim
from tests import toy
from tests.measured import Measured

TRAINED: dict[str, Any] = {
    "dataset": "mnist",
    "optimizer": "adam",
    "learning_rate": 0.01,
    "batch_size": 5,
    "steps": 4,
    "evaluations": 2,
    "held_out_size": 10,
    "probes": {"error_flow": {}},
    "seeds": 1,
}
LOCAL = {"maps": 2, "size": 5, "stride": 2}
ROWS = {**TRAINED, "task": "row_images"}
SECTIONS: dict[str, dict[str, Any]] = {
    "weight_sharing": {
        "counts": {
            "counted": {
                "LeNet-5": {"network": "lenet5"},
                "AlexNet": {"network": "alexnet"},
                "AlexNet, one group": {"network": "alexnet"},
                "shared filters": {"network": "convolutional"},
                "local filters": {"network": "locally_connected"},
                "TDNN": {"network": "tdnn"},
                "large, dense": None,
                "large, shared": None,
            },
            "seed": 0,
        },
        "lengths": {
            "form": {
                "srn": {"network": "unrolled", "cell": "srn"},
                "tdnn": {"network": "tdnn", "delays": [2, 3]},
                "untied": {"network": "untied"},
            },
            "input_size": 3,
            "hidden_size": 4,
            "output_size": 2,
            "length": [3, 7, 12],
            "seed": 0,
        },
        "equivariance": {
            "dataset": "mnist",
            "form": {
                "shared": {"network": "convolutional"},
                "local": {"network": "locally_connected"},
                "dense": {"network": "mlp"},
            },
            **LOCAL,
            "pictures": 3,
            "seeds": 2,
        },
        "places": {
            **TRAINED,
            "task": "images",
            "size": 28,
            "form": {
                "dense": {"network": "mlp", "options": {"hidden": [6]}},
                "local": {"network": "locally_connected", "options": LOCAL},
                "shared": {"network": "convolutional", "options": LOCAL},
            },
            "train_size": [10, 30],
            "shifts": [0, 4],
        },
        "time": {
            **ROWS,
            "form": {
                "tied": {
                    "cell": "srn",
                    "options": {"hidden_size": 4},
                    "clip": "norm",
                    "threshold": 1.0,
                },
                "untied": {"network": "untied", "options": {"hidden_size": 4, "length": 3}},
                "tdnn": {"network": "tdnn", "options": {"hidden": [3], "delays": [3]}},
            },
            "train_size": 10,
        },
    },
    "pooling": {
        "worked": {"side": 20, "window": 10, "seed": 0},
        "trained": {
            **TRAINED,
            "task": "images",
            "size": 28,
            "pooling": {
                "maximum": {"network": "modern_lenet5", "window": [1, 2, 3, 4]},
                "mean": {"network": "modern_lenet5", "window": [1, 2, 3, 4]},
                "trainable": {"network": "lenet5", "window": 2},
            },
        },
    },
    "mnist_classifiers": {
        "classifiers": {
            **TRAINED,
            "classifier": {
                "MLP": {
                    "task": "images",
                    "network": "mlp",
                    "options": {"hidden": [4]},
                    "seeds": 2,
                },
                "by rows": {"task": "row_images", "cell": "lstm", "options": {"hidden_size": 4}},
            },
            "at_most": 99,
        },
        "reconstruction": {
            **{name: value for name, value in TRAINED.items() if name != "probes"},
            "task": "images",
            "method": {
                "principal components": {"seeds": 1},
                "autoencoder": None,
                "autoencoder, pre-trained": {"pretraining": 3, "pretraining_rate": 0.01},
            },
            "hidden": [5, 2],
            "gain": 4.0,
            "anneal": True,
            "at_most": 6,
        },
    },
}


MEASURED = {
    name: Measured(STUDIES[name], section, {"mnist": toy.images()})
    for name, section in SECTIONS.items()
}


def verdict(name: str, part: str, rows: pd.DataFrame, words: str) -> str:
    """Return the verdict on the one claim of these words."""
    (found,) = [claim for text, claim in claims(name, part, rows).items() if words in text]
    return found.verdict


def claims(name: str, part: str, rows: pd.DataFrame) -> dict[str, Claim]:
    """Return a part's claims by what they say."""
    return MEASURED[name].claims(part, rows)
