"""The study ``language_model`` at a size of seconds, run once."""

from typing import Any

from pipeline.studies.language_model import STUDY
from tests import toy
from tests.measured import Measured

LEARNED: dict[str, Any] = {
    "embedding_size": 3,
    "layers": 1,
    "recurrence": "lstm",
    "dropout": 0.0,
    "spread": 0.1,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "final_rate": 0.001,
    "threshold": 1.0,
    "batch_size": 4,
    "length": 7,
    "steps": 4,
    "evaluations": 2,
    "held_out_size": 45,
    "sampled": 5,
    "temperatures": [0.0, 0.5, 1.0],
    "seeds": 2,
}
COUNTED: dict[str, Any] = {
    "seed": 0,
    "discounts": {
        1: {"model": {"unigram": {"order": 1}, "Kneser–Ney 5": {"order": 5}}},
        3: {"model": {"Kneser–Ney 5, modified": {"order": 5}}},
    },
}
TWO: dict[str, Any] = {"LSTM 3": {"hidden_size": 3}, "LSTM 5": {"hidden_size": 5}}
SECTION: dict[str, dict[str, Any]] = {
    "characters": {
        "task": "character_ids",
        "dataset": "tiny_shakespeare",
        "kind": {"counted": COUNTED, "learned": {**LEARNED, "model": TWO}},
    },
    "words": {
        "task": "next_word",
        "dataset": "wikitext2",
        "kind": {
            "counted": COUNTED,
            "learned": {**LEARNED, "cutoffs": [5, 20], "divisor": 1.5, "model": TWO},
        },
    },
    "truncation": {
        "task": "next_character",
        "dataset": "tiny_shakespeare",
        "length": 8,
        "cell": ["srn", "lstm"],
        "algorithm": "tbptt",
        "horizon": {k: {"stride": k} for k in (1, 2, 8)},
        "hidden_size": 4,
        "batch_size": 4,
        "optimizer": "adam",
        "learning_rate": 0.01,
        "steps": 4,
        "evaluations": 2,
        "held_out_size": 45,
        "order": 3,
        "probes": {"error_flow": {}, "horizon": {}},
        "seeds": 2,
    },
}
MEASURED = Measured(
    STUDY, SECTION, {"tiny_shakespeare": toy.text(100), "wikitext2": toy.sentences()}
)
