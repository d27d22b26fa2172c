"""Both phases sampled by annealing: temperature falls to 1 while units are updated one by one.

    clamped    visible units at the data, hidden ones from chance through the schedule
    free       all units from chance through the schedule, as many states as examples
    g = ⟨∂E/∂θ⟩ clamped - ⟨∂E/∂θ⟩ free        over ``counted`` sweeps at the schedule's end

Biased as far as the schedule is short, and noisy. For Boltzmann machines, whose hidden units are
not independent.

Cost: O(S²) an example and a sweep, in both phases.

Where we differ from the paper: data are clamped without noise, states in parallel, and weights move
by the gradient, not by its sign.

References:
    Ackley, Hinton & Sejnowski (1985), A learning algorithm for Boltzmann machines, Cognitive
        Science 9: the schedule, 2 sweeps at 20, 2 at 15, 2 at 12, 4 at 10, of weights in units of
        which 10 are 1 here.
"""

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.energies._energy import Distribution, Estimator, Learned
from lightning_modules.energies.boltzmann import Boltzmann

SCHEDULE = (2, 2.0), (2, 1.5), (2, 1.2), (4, 1.0)
"""Sweeps, and the temperature of each."""


@final
class Annealed(Estimator):
    """Simulated annealing in both phases."""

    def __init__(self, schedule: Sequence[Sequence[float]] = SCHEDULE, counted: int = 10):
        """Take so many sweeps at each temperature, then count ``counted``; ValueError for none."""
        for sweeps, temperature in schedule:
            whole(1, sweeps=sweeps)
            above(0, temperature=temperature)
        whole(1, counted=counted)
        self.schedule, self.counted = [tuple(part) for part in schedule], counted

    @torch.no_grad()
    def estimate(self, energy: Distribution, v_BV: Tensor, memory: Any = None) -> Learned:
        """Return its gradient; TypeError for a network other than a Boltzmann machine."""
        if not isinstance(energy, Boltzmann):
            raise TypeError(
                f"annealing takes a Boltzmann machine, not {type(energy).__name__}: use persistent"
            )
        shape = len(v_BV), energy.state_size
        clamped_BS = torch.randint(2, shape, device=v_BV.device).to(v_BV.dtype)
        clamped_BS[:, : v_BV.shape[1]] = v_BV
        free_BS = torch.randint(2, shape, device=v_BV.device).to(v_BV.dtype)
        for sweeps, temperature in self.schedule:
            for _ in range(int(sweeps)):
                clamped_BS = energy.sweep(clamped_BS, temperature, v_BV.shape[1])
                free_BS = energy.sweep(free_BS, temperature)
        total = [torch.zeros_like(w) for w in energy.parameters()]
        each_B = v_BV.new_full((len(v_BV),), 1 / (len(v_BV) * self.counted))
        for _ in range(self.counted):
            clamped_BS = energy.sweep(clamped_BS, 1.0, v_BV.shape[1])
            free_BS = energy.sweep(free_BS, 1.0)
            phases = energy.slopes_at(clamped_BS, each_B), energy.slopes_at(free_BS, each_B)
            total = [t + a - b for t, a, b in zip(total, *phases, strict=True)]
        return Learned(total, memory, free_BS[:, : v_BV.shape[1]])
