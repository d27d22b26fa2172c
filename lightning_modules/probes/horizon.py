"""Over how many steps back error falls by a factor of e.

    r_t = ‖∂L/∂h_{t-1} - ∂L_{t-1}/∂h_{t-1}‖ / ‖∂L/∂h_t‖        the share left one step further back

L_{t-1} is step t-1's own loss, subtracted so that error which enters on the way does not hide the
decay. Where there are layers above, the error that they pass down is not subtracted. Samples that
are reset before step t are left out of r_t.

From the passage's last step back, the logarithms of r, each the mean over measurements, are summed
until -1 is reached; the horizon is the number of steps that this takes, interpolated linearly.
Where the passage is too short, it is extrapolated at the mean rate: T / -Σ log r. A step that
leaves nothing ends the horizon. Error that does not fall has no horizon, None; a mean rate within
FLAT of zero, which rounding alone may cause, counts as not falling. A linear recurrence by an
orthogonal matrix times σ has the horizon -1 / ln σ.

References:
    Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen, TU München.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import final

import torch
from torch import Tensor

from lightning_modules.instruments import Row
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage

FLAT = 1e-6
"""A rate of decay a step that may be nothing but float32's rounding of norms."""


@final
class Horizon(Probe):
    """The e-fold length of error, for each layer."""

    sees = frozenset({"passages"})

    def passed(self, seen: Passage) -> None:
        """Keep the norms on both sides of each step."""
        after_LT, before_LT = seen.flow_LT[:, 1:], seen.flow_LT[:, :-1]
        if seen.resets_TB is not None:  # from samples that were reset nothing goes back
            after_LT = seen.norms(seen.total_TBS[1:].masked_fill(seen.resets_TB.unsqueeze(-1), 0))
        T = after_LT.shape[1]
        own = range(T) if seen.credited is None else seen.credited
        own = [t + 1 for t in own if t + 1 < T]  # no step follows the last state
        if own:
            before_LT = before_LT.clone()
            at: slice | list[int] = slice(1, T) if len(own) == T - 1 else own
            less = slice(0, T - 1) if isinstance(at, slice) else [t - 1 for t in at]
            before_LT[:, at] = seen.norms(seen.total_TBS[at] - seen.direct_TBS[less])
        self.keep(before_LT=before_LT, after_LT=after_LT)

    def reduce(self, **stacked: Tensor) -> dict[str, Tensor]:
        """Return log r by lag, the last step's first, and whether it is defined, (N, T, L)."""
        before, after = (stacked[k].transpose(1, 2).flip(1) for k in ("before_LT", "after_LT"))
        there = after > 0
        return {"log": torch.where(there, before.log() - after.log(), 0.0), "there": there}

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each layer."""
        for layer, (log_T, there_T) in enumerate(
            zip(means["log"].T, means["there"].T, strict=True)
        ):
            steps = (log_T / there_T)[there_T > 0]
            yield {"quantity": "steps", "layer": layer, "value": _crossing(steps)}


def _crossing(log_T: Tensor) -> float:
    """Return after how many steps the sum reaches -1; infinity where it never will."""
    sums = [0.0, *log_T.cumsum(0).tolist()]
    for k, (last, now) in enumerate(pairwise(sums)):
        if now <= -1:
            return k + (1 + last) / (last - now)
    falls = sums[-1] < -FLAT * len(log_T)
    return -len(log_T) / sums[-1] if falls else float("inf")
