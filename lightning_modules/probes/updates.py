"""How far an update moves each parameter, beside its size.

    ‖Δθ‖ / ‖θ‖        θ before the update

About 1e-3 is a rule of thumb for a healthy rate; a parameter that starts at zero has none: None.

References:
    Bengio (2012), Practical recommendations for gradient-based training of deep architectures,
        Neural Networks: Tricks of the Trade, arXiv:1206.5533.
"""

from collections.abc import Iterator
from typing import Any, final

from torch import Tensor

from lightning_modules.instruments import Row, Update
from lightning_modules.norms import norms, ratio
from lightning_modules.probes._base import Probe


@final
class Updates(Probe):
    """The relative size of every parameter's update."""

    sees = frozenset({"updates"})

    def __init__(self, every: int = 1):
        """Look at every ``every``-th batch."""
        super().__init__(every)
        self._names: list[str] = []

    def updated(self, seen: Update) -> None:
        """Keep the norms of θ and of Δθ."""
        self._names = list(seen.names)
        moved = (a - b for a, b in zip(seen.after, seen.before, strict=True))
        self.keep(norms_2W=norms([*moved, *seen.before]))

    def reduce(self, **stacked: Tensor) -> dict[str, Tensor]:
        """Return the ratios, (N, W)."""
        moved_NW, size_NW = stacked["norms_2W"].chunk(2, dim=1)
        return {"ratio": ratio(moved_NW, size_NW)}

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each parameter."""
        for name, row in zip(self._names, self.defined_of("ratio"), strict=True):
            yield {"quantity": "ratio", "parameter": name, **row}

    def state_dict(self) -> dict[str, Any]:
        """Add the parameters' names."""
        return {**super().state_dict(), "names": self._names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them back."""
        super().load_state_dict(state_dict)
        self._names = state_dict["names"]
