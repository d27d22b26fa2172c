"""The exact gradient, by enumerating all states.

    g = ⟨∂F/∂θ⟩_data - Σ_v p(v) ∂F/∂θ

Cost: O(2^U) for U enumerated units, 20 at most.

References:
    Ackley, Hinton & Sejnowski (1985), A learning algorithm for Boltzmann machines, Cognitive
        Science 9: the two phases.
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.energies._energy import Distribution, Estimator, Learned


@final
class Exact(Estimator):
    """The gradient without any estimate."""

    @torch.no_grad()
    def estimate(self, energy: Distribution, v_BV: Tensor, memory: Any = None) -> Learned:
        """Return the gradient; ValueError for a network of too many states."""
        data = energy.slopes(v_BV, v_BV.new_full((len(v_BV),), 1 / len(v_BV)))
        model = energy.expected_slopes()
        return Learned([a - b for a, b in zip(data, model, strict=True)], memory)
