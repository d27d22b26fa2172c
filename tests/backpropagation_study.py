"""The study ``backpropagation`` at a size of seconds, and rows of it as they are expected."""

from typing import Any

import pandas as pd

from pipeline.studies.backpropagation import STUDY
from tests import toy
from tests.measured import Measured

CLASSICAL = {"rule": "classical_backpropagation", "rate": 0.5, "decay": 0.0, "epochs": 2}
PICTURES = {"network": "mlp", "task": "images", "dataset": "mnist"}
SECTION: dict[str, dict[str, Any]] = {
    "xor": {
        "network": "mlp",
        "rule": "classical_backpropagation",
        "stop": {"right": None, "still": {"still": 0.05}},
        "hidden_size": [2, 4],
        "spread": [0.1, 1.0],
        "rate": 8.0,
        "epochs": 60,
        "starts": 1,
        "seeds": 1,
    },
    "attributes": {
        "network": "mlp",
        "rule": "classical_backpropagation",
        "task": "monks",
        "problem": {1: {"hidden_size": 3}, 3: {"hidden_size": 4}},
        "spread": 0.5,
        "rate": 0.5,
        "epochs": 4,
        "evaluations": 2,
        "seeds": 1,
    },
    "digits": {
        **PICTURES,
        **CLASSICAL,
        "hidden_size": 4,
        "setting": {
            "usual": {"start": "fan_in"},
            "wide": {"start": "uniform"},
            "cross_entropy": {"rule": None, "start": "normalised"},
        },
        "scale": 1.0,
        "train_size": 60000,
        "held_out_size": 20,
        "seeds": 1,
    },
    "saturation": {
        **PICTURES,
        "activation": ["logistic", "tanh", "softsign"],
        "start": ["fan_in", "normalised"],
        "depth": 5,
        "hidden_size": 100,
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "batch_size": 20,
        "steps": 4,
        "evaluations": 2,
        "probes": {"activations": {"every": 1}, "error_flow": {"every": 1}},
        "train_size": 60000,
        "held_out_size": 20,
        "seeds": 1,
    },
    "depth": {
        "network": "mlp",
        "start": ["orthogonal", "gaussian"],
        "depth": [2, 24],
        "rate": [0.2, 0.4],
        "size": 8,
        "rank": 2,
        "steps": 200,
        "seeds": 1,
    },
    "modes": {
        "network": "mlp",
        "singular_values": [4.0, 2.0],
        "start": "orthogonal",
        "scale": 0.001,
        "size": 8,
        "rate": 0.02,
        "steps": 250,
        "every": 50,
        "seeds": 1,
    },
}
MEASURED = Measured(STUDY, SECTION, {"mnist": toy.images(200)})


def xor() -> pd.DataFrame:
    """Return rows of XOR as they are expected."""
    rows = []
    for stop in ("right", "still"):
        for hidden in (2, 4, 8):
            for spread in (0.1, 0.5, 1.0):
                of = {"seed": 0, "stop": stop, "hidden_size": hidden}
                of |= {"spread": spread, "rate": 2.0}
                used = 100 / hidden + 10 / spread
                solved = hidden > 2 if stop == "still" else True
                rows.append({**of, "epochs_used": used, "settled": True, "solved": solved})
    return pd.DataFrame(rows)


def attributes() -> pd.DataFrame:
    """Return rows of the MONK's problems as they are expected."""
    right = {1: 1.0, 2: 0.98, 3: 0.93}
    shared = {"seed": 0, "step": 9, "held_out_loss": 0.1, "diverged": False}
    return pd.DataFrame(
        [{"problem": k, "held_out_accuracy": of, **shared} for k, of in right.items()]
    )


def digits() -> pd.DataFrame:
    """Return rows of all of MNIST as they are expected."""
    ends = {"usual": 0.03, "wide": 0.06, "cross_entropy": 0.02}
    shared = {"seed": 0, "step": 9, "held_out_loss": 0.1, "diverged": False}
    shared |= {"record": "test", "digits": 50_000}
    return pd.DataFrame([{"setting": k, "error": error, **shared} for k, error in ends.items()])


def saturation() -> pd.DataFrame:
    """Return rows of deep networks as they are expected."""
    kept = {("logistic", "fan_in"): -0.9, ("tanh", "fan_in"): -0.25, ("tanh", "normalised"): 0.0}
    loss = {"logistic": 2.3, "tanh": 0.3, "softsign": 0.4}
    rows = []
    for start in ("fan_in", "normalised"):
        for activation in loss:
            of = {"activation": activation, "start": start, "seed": 0}
            for step, layer in ((step, layer) for step in (0, 9) for layer in (1, 2, 3)):
                told = {"log10_error": kept.get((activation, start), -0.3) * (3 - layer)}
                told["saturated"] = 0.1 * layer / (2 if activation == "softsign" else 1)
                told["mean"] = 0.5 - 0.1 * (layer == 3)
                rows.append({**of, "record": "layer", "step": step, "layer": layer, **told})
            end = loss[activation] - 0.1 * (start == "normalised")
            evaluated = {"held_out_loss": end, "held_out_accuracy": 0.9, "diverged": False}
            rows.append({**of, "record": "curve", "step": 9, **evaluated})
    return pd.DataFrame(rows)


EXPECTED = {"xor": xor, "attributes": attributes, "digits": digits, "saturation": saturation}
