"""McCulloch-Pitts neuron: a weighted sum and a threshold.

    y = 1 where W x >= θ, else 0

W and θ are given by hand and never move: nothing here is learned. ``GATES`` gives those of some
functions of logic.

Cost: O(I O) an example.

References:
    McCulloch & Pitts (1943), A logical calculus of the ideas immanent in nervous activity,
        Bulletin of Mathematical Biophysics 5.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.registry import UnknownNameError, nearest

GATES: dict[str, tuple[tuple[float, ...], float]] = {
    "and": ((1.0, 1.0), 2.0),
    "or": ((1.0, 1.0), 1.0),
    "not": ((-1.0,), 0.0),
}
"""The weights of the inputs, and the threshold; XOR has none."""


@final
class MPNeuron(nn.Module):
    """Units that answer 0 or 1, each with its weights and its threshold."""

    W_OI: Tensor
    threshold_O: Tensor

    def __init__(self, weights: Sequence[Sequence[float]], thresholds: Sequence[float]):
        """Take a row of weights and a threshold for each unit; ValueError where they do not fit."""
        super().__init__()
        if not weights or len({len(row) for row in weights}) != 1 or not weights[0]:
            raise ValueError(f"weights are {weights}: each unit needs as many, at least 1")
        if len(thresholds) != len(weights):
            raise ValueError(f"thresholds are {thresholds}: {len(weights)} units need one each")
        self.register_buffer("W_OI", torch.tensor(weights, dtype=torch.get_default_dtype()))
        self.register_buffer("threshold_O", torch.tensor(thresholds).to(self.W_OI.dtype))

    @classmethod
    def gate(cls, name: str) -> "MPNeuron":
        """Return the neuron of a gate in ``GATES``; UnknownNameError for any other, such as XOR."""
        if name not in GATES:
            raise UnknownNameError(f"{name!r} is not one of the gates: {nearest(name, GATES)}")
        weights, threshold = GATES[name]
        return cls([weights], [threshold])

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return 0 or 1, (T, B, O)."""
        return (x_TBI @ self.W_OI.t() >= self.threshold_O).to(x_TBI.dtype)
