"""What clipping does to the gradient.

    norm                 ‖g‖ before clipping
    clipped              the fraction of updates whose gradient was changed at all
    kept                 ‖clipped g‖ / ‖g‖
    entries              the fraction of g's entries that were changed
    threshold_over_norm  the threshold over the mean of ‖g‖; None where nothing clips,
                         and of gradients that were all zero

For clipping by norm, Pascanu et al. advise a ``threshold_over_norm`` between 1/2 and 10. The others
are means over updates.

References:
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML.
"""

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.instruments import Row, Update
from lightning_modules.norms import joint, ratio
from lightning_modules.probes._base import Probe


@final
class Clipping(Probe):
    """How often and how much the gradient is clipped."""

    sees = frozenset({"updates"})

    def __init__(self, every: int = 1):
        """Look at every ``every``-th batch."""
        super().__init__(every)
        self._threshold: float | None = None

    def updated(self, seen: Update) -> None:
        """Keep the norm before clipping, and what was changed."""
        norm, self._threshold = joint(seen.raw), seen.threshold
        if seen.raw is seen.clipped:
            self.keep(norm=norm)
            return
        pairs = zip(seen.raw, seen.clipped, strict=True)
        changed = torch.stack([torch.count_nonzero(a != b) for a, b in pairs]).sum()
        entries = changed / sum(g.numel() for g in seen.raw)
        self.keep(norm=norm, left=joint(seen.clipped), entries=entries)

    def reduce(self, **stacked: Tensor) -> dict[str, Tensor]:
        """Return each quantity of each update."""
        norm_N = stacked["norm"]
        if "left" not in stacked:
            none_N = torch.zeros_like(norm_N)
            return {"norm": norm_N, "clipped": none_N, "kept": none_N + 1, "entries": none_N}
        kept_N = torch.where(norm_N > 0, ratio(stacked["left"], norm_N), 1.0)
        entries_N = stacked["entries"]
        return {"norm": norm_N, "clipped": entries_N > 0, "kept": kept_N, "entries": entries_N}

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity."""
        for quantity, value in means.items():
            yield {"quantity": quantity, "value": float(value)}
        norm = float(means["norm"])
        over = None if self._threshold is None or not norm else self._threshold / norm
        yield {"quantity": "threshold_over_norm", "value": over}

    def state_dict(self) -> dict[str, Any]:
        """Add the threshold."""
        return {**super().state_dict(), "threshold": self._threshold}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back."""
        super().load_state_dict(state_dict)
        self._threshold = state_dict["threshold"]
