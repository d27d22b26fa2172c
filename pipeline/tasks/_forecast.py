"""What the forecasting tasks share: the next value of a series, from the values so far.

    x_t = s_t      y_t = s_{t+1}      loss (forecast - y_t)²

Series are scaled to mean 0 and variance 1, so that the loss is the normalised error (NMSE), and
always answering 0 has a loss of 1. A lane is one of the B parallel series of a batch. Measured
series aside, each lane is simulated from its own random start: the first SKIPPED points are left
out, the LAP steps after them are scaled by their own mean and deviation. At its end a lane starts
again from its beginning. The held-out series are further lanes, from other starts.

The state is reset at a lane's beginning and every ``reset_every`` steps.

References:
    sonaradarcn/sketched-rtrl, a public repository: this set-up. There it scales the skipped points
    as well, and Hénon's starts are 0.1 + 0.01 b.
"""

import abc

import numpy as np
import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import numbers
from pipeline.tasks._stream import HELD_OUT, TRAINING, Stream

SKIPPED = 64
LAP = 20_000


class Forecast(Stream):
    """One-step-ahead forecasts on B lanes; every step counts.

    Attributes:
        mean_B, deviation_B: of the training lanes before scaling, in the series' own unit.
    """

    input_size, output_size, loss = 1, 1, "squared_error"
    chance_loss = 1.0

    mean_B: Tensor
    deviation_B: Tensor

    def __init__(
        self, seed: int, batch_size: int, length: int, held_out_size: int, reset_every: int | None
    ):
        """``held_out_size`` counts steps of each lane; None for ``reset_every`` is never."""
        super().__init__(seed, batch_size, length, held_out_size)
        if reset_every is not None:
            whole(1, reset_every=reset_every)
        self._reset_every = reset_every
        self._parts: dict[int, tuple[Tensor, Tensor]] = {}

    def _give(self, part: int, series_NB: Tensor, start_B: Tensor) -> None:
        """Take the scaled lanes of a part, rings of N - 1 steps, and where each starts."""
        if len(series_NB) < 2:
            raise ValueError(f"the series has {len(series_NB)} values, must have at least 2")
        if part == HELD_OUT and self.held_out_size > len(series_NB) - 1:
            raise ValueError(
                f"held_out_size is {self.held_out_size}: there are {len(series_NB) - 1} steps to "
                "hold out"
            )
        self._parts[part] = series_NB.float(), start_B

    def _read(self, part: int, step_T: Tensor) -> Batch:
        """Return the values at the steps and, as targets, those that follow them."""
        series_NB, start_B = self._parts[part]
        step_T1, lane_B = step_T[:, None], torch.arange(len(start_B))
        at_TB = (start_B + step_T1) % (len(series_NB) - 1)
        resets_TB = (step_T1 == 0) | (at_TB == 0)
        if self._reset_every is not None:
            resets_TB |= step_T1 % self._reset_every == 0
        x_TBI, y_TBO = (series_NB[at, lane_B].unsqueeze(-1) for at in (at_TB, at_TB + 1))
        return Batch(x_TBI, y_TBO, torch.ones_like(resets_TB), resets_TB)


class Simulated(Forecast):
    """Forecasts of a dynamical system of which one variable is seen."""

    def __init__(
        self,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        reset_every: int | None = 200,
    ):
        """Simulate all lanes, of which the second half is held out, at once."""
        super().__init__(seed, batch_size, length, held_out_size, reset_every)
        raw_NB = self._simulate(numbers(seed), 2 * batch_size, SKIPPED + LAP + 1)
        series_NB = torch.from_numpy(raw_NB)[SKIPPED:]
        mean_B, deviation_B = series_NB.mean(dim=0), series_NB.std(dim=0)
        start_B = torch.zeros(batch_size, dtype=torch.int64)
        halves = ((series_NB - mean_B) / deviation_B).split(batch_size, dim=1)
        for part, half_NB in zip((TRAINING, HELD_OUT), halves, strict=True):
            self._give(part, half_NB, start_B)
        self.mean_B, self.deviation_B = mean_B[:batch_size], deviation_B[:batch_size]

    @abc.abstractmethod
    def _simulate(self, random: np.random.Generator, lanes: int, points: int) -> np.ndarray:
        """Return ``points`` values of the seen variable in every lane, (N, B) in float64.

        Written in sums and products alone, which have the same bits on every machine: in a chaotic
        system any other difference would grow to a different series.
        """
