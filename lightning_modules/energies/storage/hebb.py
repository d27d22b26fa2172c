"""Hebb's rule: what is active together is connected.

    W += Σ_μ x^μ x^μ'

This is a step down the energy of the patterns, E = -½ x'W x. It is not divided by the number of
units, so that fields are whole numbers and zero fields are exactly zero in floats. Its limit is
.138 patterns a unit, where even recall that starts at a pattern itself breaks down.

Cost: O(S²) a pattern.

References:
    Hopfield (1982), Neural networks and physical systems with emergent collective computational
        abilities, PNAS 79.
    Amit, Gutfreund & Sompolinsky (1985), Storing infinite numbers of patterns in a spin-glass model
        of neural networks, Physical Review Letters 55: the limit.
"""

from typing import final

from torch import Tensor

from lightning_modules.energies.storage._storage import Storage


@final
class Hebb(Storage):
    """The outer products of patterns with themselves."""

    def store(self, W_SS: Tensor, x_MS: Tensor, diagonal: bool) -> None:
        """Add them."""
        del diagonal
        W_SS.addmm_(x_MS.t(), x_MS)
