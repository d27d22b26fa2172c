"""Quantities that a map reports of itself after a batch.

    quantisation_error                      Kohonen's maps: of the batch's inputs
    topographic_error_4, _8 or _6           by how many neighbours a unit inside the grid has
    categories, template                    ART: how many there are, and their mean |w|
    changes                                 all maps: examples of the batch that moved a weight
    rise                                    the most that a weight rose: below 0 where all fell

Where a batch is a whole pass over the data, ``changes`` is that of a pass.

References:
    Kiviluoto (1996), Topology preservation in self-organizing maps, ICNN.
"""

from collections.abc import Iterator
from typing import Any, final

from torch import Tensor

from lightning_modules.instruments import Row
from lightning_modules.probes._base import Probe


@final
class Maps(Probe):
    """Errors, categories, changes."""

    sees = needs = frozenset({"maps"})

    def passed(self, seen: Any) -> None:
        """Keep the map's facts, changes and rise."""
        self.keep(**seen.facts, changes=seen.changes, rise=seen.rise)

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity."""
        for quantity in means:
            for row in self.defined_of(quantity):
                yield {"quantity": quantity, **row}
