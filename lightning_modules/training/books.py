"""The counts and losses that a learner keeps while it trains."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor


@final
@dataclasses.dataclass
class Books:
    """Counts and losses; not a torch module, in which every assignment looks for parameters."""

    batches: int = 0
    """How many batches were trained on."""
    examples: int = 0
    """How many sequences these held."""
    loss_sum: float = 0.0
    """The loss summed over the outputs that were counted since the last row."""
    counted: int = 0
    """How many these are."""
    diverged: bool = False
    """Whether a loss or a weight stopped being finite."""
    open: tuple[Tensor, int] | None = dataclasses.field(default=None, repr=False)
    """The present batch's loss and count, until its update is done."""

    def note(self, size: int, loss: Tensor, counted: int) -> None:
        """Note a batch of ``size`` sequences with its loss summed over ``counted`` outputs."""
        self.batches += 1
        self.examples += size
        self.open = loss, counted

    def settle(self, weights: Sequence[Tensor]) -> None:
        """Close the present batch once its update is done, and see whether all is finite."""
        if self.open is None:
            return
        (loss, counted), self.open = self.open, None
        # A finite sum has finite terms only: one pass, and one wait for the device. An infinite one
        # may have finite terms that overflow together, so then the terms are tested.
        values = torch.stack([loss, *(w.detach().sum() for w in weights)]).tolist()
        if not all(map(math.isfinite, values)):
            finite = all(bool(w.detach().isfinite().all()) for w in weights)
            self.diverged |= not (finite and math.isfinite(values[0]))
        self.loss_sum += values[0]
        self.counted += counted

    def take_loss(self) -> float | None:
        """Return the mean loss since the last call; None if no output was counted."""
        mean = self.loss_sum / self.counted if self.counted else None
        self.loss_sum, self.counted = 0.0, 0
        return mean

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint has to hold."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "open"}
