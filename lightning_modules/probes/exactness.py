"""How the estimated gradient of a likelihood compares with the exact one, on the same batch.

    cosine = g · g' / ‖g‖ ‖g'‖        norm_ratio = ‖g‖ / ‖g'‖        g' is the exact one
    wrong_sign = the share of weights with g g' < 0

Gradients are by all weights. Training's random generator is left untouched. The exact gradient is a
sum over all states, so it exists for up to 20 units (U): the hidden ones of an RBM, all of a
Boltzmann machine. Beyond that the probe looks no more and says so.

Cost: O(2^U) a batch.

References:
    Bengio & Delalleau (2009), Justifying and generalizing contrastive divergence, Neural
        Computation 21(6): the share of wrong signs.
"""

from collections.abc import Iterator, Sequence
from typing import final

import torch
from torch import Tensor

from lightning_modules.energies._energy import Distribution
from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.instruments import Estimated, Row
from lightning_modules.norms import cosine, norm, ratio
from lightning_modules.probes._base import Probe


@final
class Exactness(Probe):
    """Cosine, ratio of norms and share of wrong signs to the exact gradient."""

    sees = frozenset({"estimates"})

    def passed(self, seen: Estimated) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keep the three quantities."""
        if not isinstance(seen.energy, Distribution):
            raise TypeError(f"{type(seen.energy).__name__} gives its states no probabilities")
        v_BV = seen.energy.seen(seen.x_BI, seen.t_BO)
        exact_P = _flat(Exact().estimate(seen.energy, v_BV).gradient)
        own_P = _flat(seen.learned.gradient)
        wrong = (own_P.sign() * exact_P.sign() < 0).double().mean()
        sizes = ratio(norm(own_P), norm(exact_P))
        self.keep(cosine=cosine(own_P, exact_P), norm_ratio=sizes, wrong_sign=wrong)

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity."""
        for quantity in means:
            for row in self.defined_of(quantity):
                yield {"quantity": quantity, **row}


def _flat(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in parts])
