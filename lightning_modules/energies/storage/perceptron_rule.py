"""The perceptron rule, made symmetric: a pattern is stored again where a unit does not keep it.

    ε_i^μ = 1 where x_i^μ h_i^μ / ‖W_i‖ < κ, else 0        h = W x
    w_ij += Σ_μ (ε_i^μ + ε_j^μ) x_i^μ x_j^μ        until no ε is left

κ is a unit's stability: the distance of a pattern from where the unit would change its sign. The
rule ends if there are weights that keep all patterns with stability κ; for κ = 0 and symmetric
weights that is up to about 1.3 patterns a unit, without symmetry 2 (Gardner).

Cost: O(M S²) an epoch.

Where we differ from the papers: all patterns at once, and both units' errors count, so that weights
stay symmetric and the network has an energy.

References:
    Gardner (1988), The space of interactions in neural network models, J. Physics A 21.
    Gardner, Gutfreund & Yekutieli (1989), The phase space of interactions in neural networks with
        definite symmetry, J. Physics A 22.
    Krauth & Mézard (1987), Learning algorithms with optimal stability in neural networks, J.
        Physics A 20.
"""

from typing import final

from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.energies.storage._storage import Storage, overlapping
from lightning_modules.norms import norm


@final
class PerceptronRule(Storage):
    """Hebb's rule where it is needed, for ``epochs`` at most."""

    def __init__(self, stability: float = 0.5, epochs: int = 300):
        """Ask for ``stability``, κ; ValueError for what cannot be."""
        above(0, or_equal=True, stability=stability)
        whole(1, epochs=epochs)
        self.stability, self.epochs = stability, epochs

    def store(self, W_SS: Tensor, x_MS: Tensor, diagonal: bool) -> None:
        """Store them until all are held."""
        for _ in range(self.epochs):
            used_SS = overlapping(W_SS, diagonal)
            held_MS = (x_MS @ used_SS) * x_MS > self.stability * norm(used_SS, dim=0)
            if held_MS.all():
                return
            wrong_MS = x_MS * ~held_MS
            W_SS.addmm_(wrong_MS.t(), x_MS).addmm_(x_MS.t(), wrong_MS)
