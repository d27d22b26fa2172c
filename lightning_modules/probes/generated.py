"""What a generator makes: mean and spread of each entry of its samples.

    mean    E x_i        spread    √ E (x_i - E x_i)²

Samples are of the batch's classes and of ``samples`` latent vectors of the probe's own, the same
each time. For a generator a z + b in one dimension the two quantities say everything. The generator
is the one that learns, not the averaged one.
"""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lightning_modules.adversaries._round import Round
from lightning_modules.checks import whole
from lightning_modules.instruments import Row
from lightning_modules.probes._base import Probe


@final
class Generated(Probe):
    """The first two moments of what is generated."""

    sees = frozenset({"games"})

    def __init__(self, every: int = 1, samples: int = 1_000):
        """Take them over ``samples`` samples."""
        super().__init__(every)
        whole(2, samples=samples)
        self.samples = samples

    @torch.no_grad()
    def passed(self, seen: Round) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keep mean and spread."""
        adversary, random = seen.game.adversary, torch.Generator().manual_seed(0)
        z_NZ = torch.randn(self.samples, adversary.latent_size, generator=random)
        y_N = seen.y_B.repeat(self.samples // len(seen.y_B) + 1)[: self.samples]
        x_NI = adversary.generate(z_NZ.to(seen.z_BZ), y_N)
        self.keep(mean=x_NI.mean(0), spread=x_NI.std(0, correction=0))

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity and entry."""
        for quantity in means:
            for entry, row in enumerate(self.defined_of(quantity)):
                yield {"quantity": quantity, "entry": entry, **row}
