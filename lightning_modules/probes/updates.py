"""How far an update moves each parameter, relative to its size.

    ‖Δθ‖ / ‖θ‖        θ before the update

About 1e-3 is a rule of thumb for a healthy learning rate. For a parameter at zero it is None.

References:
    Bengio (2012), Practical recommendations for gradient-based training of deep architectures,
        Neural Networks: Tricks of the Trade, arXiv:1206.5533.
"""

from collections.abc import Iterator
from typing import final

from torch import Tensor

from lightning_modules.instruments import Row, Update
from lightning_modules.norms import norms, ratio
from lightning_modules.probes._base import Probe


@final
class Updates(Probe):
    """The relative size of every parameter's update."""

    sees = frozenset({"updates"})

    def updated(self, seen: Update) -> None:
        """Keep the norms of Δθ and of θ."""
        moved = (a - b for a, b in zip(seen.after, seen.before, strict=True))
        norms_W2 = norms([*moved, *seen.before]).view(2, -1).T
        self.keep(**dict(zip(seen.names, norms_W2.unbind(), strict=True)))

    def reduce(self, **stacked: Tensor) -> dict[str, Tensor]:
        """Return the ratios, (N,), by parameter; some updates may leave out some parameters."""
        return {name: ratio(*norms_N2.unbind(1)) for name, norms_N2 in stacked.items()}

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each parameter."""
        for name in means:
            for row in self.defined_of(name):
                yield {"quantity": "ratio", "parameter": name, **row}
