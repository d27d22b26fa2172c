"""Example: Hebb's rule with decay, which forgets; your rule here.

    W <- (1 - λ) W + x x'        pattern by pattern

So a pattern weighs (1 - λ)^n after n others, and new ones are always learned: no load is too much.

Cost: O(S²) a pattern.

References:
    Mézard, Nadal & Toulouse (1986), Solvable models of working memories, Journal de Physique 47.
"""

from typing import final

from torch import Tensor

from lightning_modules.checks import above
from lightning_modules.energies.storage._storage import Storage


@final
class Example(Storage):
    """A working memory."""

    def __init__(self, forget: float = 0.02):
        """``forget`` is λ; ValueError where it is not above 0 and at most 1."""
        above(0, most=1, forget=forget)
        self.forget = forget

    def store(self, W_SS: Tensor, x_MS: Tensor, diagonal: bool) -> None:
        """Add each to what is left of those before."""
        del diagonal
        for x_S in x_MS:
            W_SS.mul_(1 - self.forget).addr_(x_S, x_S)
