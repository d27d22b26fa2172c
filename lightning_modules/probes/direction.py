"""How far the direction of an update is from steepest descent.

    cosine = -Δθ · g / ‖Δθ‖ ‖g‖        g: the gradient before clipping

It is 1 for plain gradient descent, clipped by norm or not, since that only scales. Clipping by
value or by unit, decay, and an optimizer with a memory turn the update away from -g.

References:
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks,
        ICML: clipping by norm keeps the direction, which clipping by value does not.
"""

from collections.abc import Iterator, Sequence
from typing import final

import torch
from torch import Tensor

from lightning_modules.instruments import Row, Update
from lightning_modules.norms import scaled
from lightning_modules.probes._base import Probe


@final
class Direction(Probe):
    """The cosine of the update to -g; updates that move nothing have none and are left out."""

    sees = frozenset({"updates"})

    def updated(self, seen: Update) -> None:
        """Keep the three dot products that the cosine is made of."""
        moved_P = _flat(seen.after).sub_(_flat(seen.before))
        (moved_P, _), (raw_P, _) = scaled(moved_P), scaled(_flat(seen.raw))
        pairs = (moved_P, raw_P), (moved_P, moved_P), (raw_P, raw_P)
        self.keep(products_3=torch.stack([torch.dot(a, b) for a, b in pairs]))

    def reduce(self, **stacked: Tensor) -> dict[str, Tensor]:
        """Return the cosines; NaN where nothing moved."""
        along_N, moved_N, raw_N = stacked["products_3"].double().unbind(dim=1)
        return {"cosine": -along_N / (moved_N * raw_N).sqrt()}

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return one row."""
        for row in self.defined_of("cosine"):
            yield {"quantity": "cosine", **row}


def _flat(parts: Sequence[Tensor]) -> Tensor:
    """Return all parts as one vector of its own."""
    return torch.cat([part.flatten() for part in parts])
