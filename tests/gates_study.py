"""The study ``lstm_gates`` at a size of seconds, run once."""

from typing import Any

from pipeline.studies.lstm_gates import STUDY
from tests import toy
from tests.measured import Measured

VARIANTS: dict[str, dict[str, Any] | None] = {
    "lstm": None,
    **{cell: {"cell": cell} for cell in ("coupled_lstm", "gru", "residual", "srn")},
    "without input": {"cell": "ablated_lstm", "without": "input"},
    "without forget": {"cell": "ablated_lstm", "without": "forget"},
    "without output activation": {"cell": "ablated_lstm", "without": "output_activation"},
    "forget bias -1": {"start": "forget_bias", "bias": -1.0},
    "forget bias 4": {"start": "forget_bias", "bias": 4.0},
    "chrono": {"start": "chrono"},
    "srn by tbptt(1)": {"cell": "srn", "algorithm": "tbptt", "horizon": 1},
}
TRAINING: dict[str, Any] = {
    "variant": VARIANTS,
    "longest": 10,
    "cell": "lstm",
    "algorithm": "bptt",
    "hidden_size": 4,
    "batch_size": 4,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "clip": "norm",
    "threshold": 1.0,
    "steps": 6,
    "evaluations": 3,
    "probes": {"gates": {"every": 1}, "horizon": {}, "error_flow": {}},
    "seeds": 1,
}
SECTION: dict[str, dict[str, Any]] = {
    "bias": {
        "cell": ["lstm", "gru"],
        "start": {"forget_bias": {"bias": [-1.0, 0.0, 1.0]}, "chrono": {"longest": 10}},
        "input_size": 3,
        "hidden_size": 12,
        "batch_size": 2,
        "length": 50,
        "seeds": 2,
    },
    "saturation": {
        "cell": ["residual", "residual_recurrent", "lstm"],
        "input_size": 2,
        "hidden_size": 8,
        "batch_size": 2,
        "length": 400,
        "seeds": 1,
    },
    "memory": {
        **TRAINING,
        "task": {
            "adding": {"length": 10},
            "temporal_order": {"length": 10},
            "embedded_reber": None,
        },
        "held_out_size": 40,
    },
    "text": {
        **TRAINING,
        "task": "next_character",
        "dataset": "tiny_shakespeare",
        "length": 10,
        "held_out_size": 50,
    },
}
MEASURED = Measured(STUDY, SECTION, {"tiny_shakespeare": toy.text(100)})
