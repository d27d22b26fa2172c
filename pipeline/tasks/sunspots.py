"""Forecast the number of sunspots a month ahead.

The whole series is scaled by the mean and deviation of the training part. The B lanes (parallel
series) read the training part as a ring, from B places at equal distances; the seed rotates the
ring. No step is read across the joint of its end and beginning, and the state is reset there. The
held-out part is read once, in one lane.

References:
    Yule (1927), On a method of investigating periodicities in disturbed series, with special
    reference to Wolfer's sunspot numbers, Philosophical Transactions of the Royal Society A 226.
"""

import torch

from pipeline.data.sets._base import Series
from pipeline.tasks._common import numbers
from pipeline.tasks._forecast import Forecast
from pipeline.tasks._stream import HELD_OUT, TRAINING


class Sunspots(Forecast):
    """The next value of a measured series."""

    def __init__(
        self,
        series: Series,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        reset_every: int | None = 200,
    ):
        """``held_out_size`` counts steps; ValueError where there are fewer."""
        there, of = len(series.held_out_N) - 1, series.provenance
        shown = of.as_many(there, "steps to hold out", held_out_size=held_out_size)
        super().__init__(seed, batch_size, length, shown, reset_every)
        steps = len(series.train_N) - 1
        if batch_size > steps:
            raise ValueError(f"batch_size is {batch_size}, the series has but {steps} steps")
        mean, deviation = series.train_N.mean(), series.train_N.std()
        scaled_N1, held_out_N1 = (
            ((part_N - mean) / deviation)[:, None] for part_N in (series.train_N, series.held_out_N)
        )
        turn = int(numbers(seed).integers(steps))
        start_B = turn + steps // batch_size * torch.arange(batch_size)
        self._give(TRAINING, scaled_N1.expand(-1, batch_size), start_B)
        self._give(HELD_OUT, held_out_N1, torch.zeros(1, dtype=torch.int64))
        self.mean_B, self.deviation_B = mean.expand(batch_size), deviation.expand(batch_size)
