"""How the gradient that moves the weights compares with another algorithm's on the same passage.

    cosine = g · g' / ‖g‖ ‖g'‖        norm_ratio = ‖g‖ / ‖g'‖        g' is the other's

Both gradients are by the cell's weights. The other algorithm starts at the passage's first state
without a memory of earlier passages, so on a stream that is cut into pieces the two differ by what
memory adds, too. Training's random generator is left untouched. It costs one run of that algorithm.

References:
    Marschall, Cho & Savin (2020), A unified framework of online learning algorithms for training
        recurrent neural networks, JMLR 21: cosines between algorithms along training.
"""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.instruments import Row
from lightning_modules.norms import cosine, norm, ratio
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage


@final
class Agreement(Probe):
    """Cosine and ratio of norms to another algorithm's gradient."""

    sees = frozenset({"passages"})

    def __init__(self, every: int = 1, algorithm: str = "bptt"):
        """Compare with ``algorithm``; UnknownNameError if there is none of that name."""
        super().__init__(every)
        self.algorithm = algorithm
        self._other = ALGORITHMS[algorithm]()

    def passed(self, seen: Passage) -> None:
        """Keep cosine and ratio of norms."""
        devices = [seen.x_TBI.device] if seen.x_TBI.is_cuda else []
        with torch.random.fork_rng(devices):
            other_P = self._other.gradient(
                seen.cell, seen.x_TBI, seen.s_BS, seen.reading.credit(slice(None)), seen.resets_TB
            )
        own_P = seen.run.gradient_P
        self.keep(cosine=cosine(own_P, other_P), norm_ratio=ratio(norm(own_P), norm(other_P)))

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity."""
        for quantity in means:
            for row in self.defined_of(quantity):
                yield {"quantity": quantity, "algorithm": self.algorithm, **row}
