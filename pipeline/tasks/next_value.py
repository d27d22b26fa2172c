"""Forecast a dated series: the next value, or the next several, from the values so far.

    x_t = s_t, and where asked for the season, sin and cos of 2π month / 12, in front of it
    y_t = s_{t+1} … s_{t+horizon}

A series is scaled by the mean and deviation of its training part alone. With ``anomalies`` the
climatology, the mean of each month over the training part, is subtracted first. A batch holds
stretches of the training part that start at random places; the first ``warm_up`` steps of each are
read but do not count. Held out are the oldest steps of the training part, so that the newest are
learned from; ``batch`` and ``held_out`` read nothing after the training part.

References:
    Weigend, Huberman & Rumelhart (1990), Predicting the future: a connectionist approach,
        International Journal of Neural Systems 1(3): the yearly sunspots.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.data.sets._base import DatedSeries
from pipeline.tasks._common import first_step, numbers


class NextValue(Task):
    """Stretches of ``length`` steps of a measured series.

    Attributes:
        scaled_N: the whole series, scaled.
        climatology_M: what was taken off, by place in the year; zeros without ``anomalies``.
        mean, deviation: of the training part, after that.
    """

    loss = "squared_error"
    chance_loss = 1.0

    def __init__(
        self,
        series: DatedSeries,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        horizon: int = 1,
        warm_up: int = 0,
        anomalies: bool = False,
        season: bool = False,
    ):
        """``held_out_size`` counts steps; ValueError where the training part is too short."""
        whole(0, seed=seed, warm_up=warm_up)
        whole(1, batch_size=batch_size, held_out_size=held_out_size, horizon=horizon)
        whole(warm_up + 1, length=length)
        train_N, M = series.train_N, series.per_year
        learned = len(train_N) - held_out_size - horizon
        if learned <= length:
            raise ValueError(
                f"length is {length} and held_out_size {held_out_size}: the training part has "
                f"{len(train_N)} values, of which {max(learned, 0)} steps could be learned from"
            )
        self._seed, self._batch_size, self._length = seed, batch_size, length
        self._held_out_size, self._warm_up, self._season = held_out_size, warm_up, season
        self._starts, self.horizon, self.per_year = learned - length + 1, horizon, M
        self.input_size, self.output_size = 1 + 2 * season, horizon
        whole_N = torch.cat([train_N, series.held_out_N])
        by_month = torch.stack([train_N[m::M].mean() for m in range(M)])
        self.climatology_M = by_month if anomalies else torch.zeros_like(by_month)
        off_N = whole_N - self._climatology(torch.arange(len(whole_N)))
        seen_N = off_N[: len(train_N)]
        self.mean, self.deviation = float(seen_N.mean()), float(seen_N.std(correction=0))
        self.scaled_N = ((off_N - self.mean) / self.deviation).float()

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        whole(0, index=index)
        random = numbers(self._seed, index)
        start_B = torch.from_numpy(random.integers(self._starts, size=self._batch_size))
        at_TB = self._held_out_size + start_B + torch.arange(self._length)[:, None]
        mask_TB = (torch.arange(self._length) >= self._warm_up)[:, None].expand_as(at_TB)
        return self._read(at_TB, mask_TB)

    def held_out(self) -> Iterator[Batch]:
        """Read the oldest steps of the training part, once and in order."""
        at_T1 = torch.arange(self._held_out_size)[:, None]
        yield self._read(at_T1, torch.ones_like(at_T1, dtype=torch.bool))

    def _read(self, at_TB: Tensor, mask_TB: Tensor) -> Batch:
        """Return the inputs at the steps and the values that follow each."""
        ahead_H = torch.arange(1, self.horizon + 1)
        y_TBO = self.scaled_N[at_TB[..., None] + ahead_H]
        x_TBI = self.inputs(self.scaled_N[at_TB], at_TB)
        return Batch(x_TBI, y_TBO, mask_TB.contiguous(), first_step(*at_TB.shape))

    def inputs(self, scaled_TB: Tensor, at_TB: Tensor) -> Tensor:
        """Return scaled values as inputs, (T, B, I), those at the steps ``at_TB`` of the series."""
        value_TB1 = scaled_TB.unsqueeze(-1)
        if not self._season:
            return value_TB1
        angle_TB1 = (2 * math.pi / self.per_year * (at_TB % self.per_year)).unsqueeze(-1)
        return torch.cat([angle_TB1.sin(), angle_TB1.cos(), value_TB1], dim=-1)

    def unscaled(self, scaled: Tensor, at: Tensor) -> Tensor:
        """Return scaled values as the series has them, in its own unit, at those steps of it."""
        return self.mean + self.deviation * scaled.double() + self._climatology(at)

    def _climatology(self, at: Tensor) -> Tensor:
        """Return what was taken off at some steps."""
        return self.climatology_M[at % self.per_year]
