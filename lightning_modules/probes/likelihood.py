"""The exact log-likelihood of a batch, in nats, where it can be computed: the mean of ln p.

It is a sum over all states, so it exists for up to 20 units (U): the hidden ones of an RBM, all of
a Boltzmann machine. Beyond that the probe looks no more and says so. Where a batch is the whole
data distribution, -ln p minus its entropy is the Kullback–Leibler divergence from it.

Cost: O(2^U) a batch.

References:
    Hinton (2012), A practical guide to training restricted Boltzmann machines, section 5:
        reconstruction error is no likelihood, and may fall while the likelihood falls, too.
"""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lightning_modules.energies._energy import Distribution
from lightning_modules.instruments import Estimated, Row
from lightning_modules.probes._base import Probe


@final
class Likelihood(Probe):
    """The mean of ln p over a batch, before its update."""

    sees = frozenset({"estimates"})

    @torch.no_grad()
    def passed(self, seen: Estimated) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keep the mean of ln p."""
        if not isinstance(seen.energy, Distribution):
            raise TypeError(f"{type(seen.energy).__name__} gives its states no probabilities")
        v_BV = seen.energy.seen(seen.x_BI, seen.t_BO)
        self.keep(log_p=seen.energy.log_probability(v_BV).mean())

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return one row."""
        yield {"quantity": "log_p", "value": float(means["log_p"])}
