"""Example: how far each parameter moves at an update; your probe here.

    ‖Δθ‖

References:
    Bengio (2012), Practical recommendations for gradient-based training of deep architectures,
        Neural Networks: Tricks of the Trade, arXiv:1206.5533.
"""

from collections.abc import Iterator
from typing import final

from torch import Tensor

from lightning_modules.instruments import Row, Update
from lightning_modules.norms import norms
from lightning_modules.probes._base import Probe


@final
class Example(Probe):
    """The norm of every parameter's update."""

    sees = frozenset({"updates"})

    def updated(self, seen: Update) -> None:
        """Keep the norms."""
        moved = [a - b for a, b in zip(seen.after, seen.before, strict=True)]
        self.keep(**dict(zip(seen.names, norms(moved).unbind(), strict=True)))

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each parameter."""
        for name, mean in means.items():
            yield {"quantity": "moved", "parameter": name, "value": float(mean)}
