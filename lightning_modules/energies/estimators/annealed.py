"""Both phases sampled by annealing: temperature falls to 1 while units are updated one by one.

    clamped    visible units at the data, hidden ones annealed from random states
    free       all units annealed from random states, as many states as examples
    g = ⟨∂E/∂θ⟩ clamped - ⟨∂E/∂θ⟩ free        over ``counted`` sweeps at the schedule's end

The shorter the schedule, the larger the bias; the estimate is noisy, too. It is for Boltzmann
machines, whose hidden units are not independent.

Cost: O(S²) an example and a sweep, in both phases.

With ``noise`` each clamped unit that is on is turned off with the first probability, each that is
off is turned on with the second, anew for each batch. No state then has probability 0 under the
data, so weights stay small enough for annealing to work.

Where we differ from the paper: states in parallel, and weights move by the gradient, not by its
sign.

References:
    Ackley, Hinton & Sejnowski (1985), A learning algorithm for Boltzmann machines, Cognitive
        Science 9: the schedule, 2 sweeps at 20, 2 at 15, 2 at 12, 4 at 10; their 10 is 1 here.
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

    def __init__(
        self,
        schedule: Sequence[Sequence[float]] = SCHEDULE,
        counted: int = 10,
        noise: tuple[float, float] = (0.0, 0.0),
    ):
        """``schedule`` lists sweeps and temperature; ``counted`` sweeps follow, to average over.

        ValueError for numbers out of range.
        """
        for sweeps, temperature in schedule:
            whole(1, sweeps=sweeps)
            above(0, temperature=temperature)
        whole(1, counted=counted)
        above(0, or_equal=True, most=1, off=noise[0], on=noise[1])
        self.noise = noise
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
        clamped_BS[:, : v_BV.shape[1]] = self._noisy(v_BV)
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

    def _noisy(self, v_BV: Tensor) -> Tensor:
        """Return the data with noise."""
        off, on = self.noise
        if not (off or on):
            return v_BV
        turned_BV = torch.rand_like(v_BV) < torch.where(v_BV > 0, off, on)
        return torch.where(turned_BV, 1 - v_BV, v_BV)
