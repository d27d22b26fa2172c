"""The projection, or pseudo-inverse, rule: weights project onto what the patterns span.

    r = x - W x        W += r r' / r'r        pattern by pattern, where r is not zero

From W = 0 this is W = X⁺X, exactly, in any order (Greville): every pattern is kept, W x = x, while
there are fewer than units. With the diagonal at zero a pattern's field is (1 - W_ii) x_i, still on
its side, as the diagonal of a projection is below 1.

Cost: O(S²) a pattern.

Where we differ from the papers: pattern by pattern, so that batches may come one after the other.

References:
    Personnaz, Guyon & Dreyfus (1985), Information storage and retrieval in spin-glass like neural
        networks, Journal de Physique Lettres 46.
    Kanter & Sompolinsky (1987), Associative recall of memory without errors, Physical Review A 35:
        with the diagonal at zero.
    Greville (1960), Some applications of the pseudoinverse of a matrix, SIAM Review 2.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.energies.storage._storage import Storage

SPANNED = 1e-6
"""A pattern with less than this share of its square outside the span counts as within it."""


@final
class PseudoInverse(Storage):
    """The projection, grown pattern by pattern."""

    def store(self, W_SS: Tensor, x_MS: Tensor, diagonal: bool) -> None:
        """Project onto these patterns, too."""
        del diagonal
        for x_S in x_MS:
            r_S = x_S - W_SS @ x_S
            size = r_S @ r_S
            if size > SPANNED * len(x_S):
                W_SS.add_(torch.outer(r_S, r_S), alpha=1 / float(size))
