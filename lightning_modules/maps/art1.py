"""ART 1: categories of binary inputs; a template holds the ones that all its inputs share.

    T_j = |I ∧ w_j| / (α + |w_j|)        |I ∧ w_j| / |I| >= ρ        w_J <- I ∧ w_J

α is the paper's L - 1: its bottom-up weights L w / (L - 1 + |w|) give the same order of search.
Learning is fast: weights reach their fixed point before the next input. The rule is that of
``fuzzy_art``, on binary inputs that are not complement-coded.

Cost: O(K I) an input, K categories.

Where we differ from the paper: its differential equations are replaced by their fixed points; see
also ``_art.py``.

References:
    Carpenter & Grossberg (1987), A massively parallel architecture for a self-organizing neural
        pattern recognition machine, Computer Vision, Graphics, and Image Processing 37.
    Georgiopoulos, Heileman & Huang (1991), Properties of learning related to pattern diversity in
        ART1, Neural Networks 4(6): how many passes it takes.
"""

from typing import final

from torch import Tensor

from lightning_modules.maps._art import ART
from lightning_modules.maps._map import fitting


@final
class ART1(ART):
    """Fast learning on inputs of zeros and ones."""

    def __init__(self, input_size: int, capacity: int, vigilance: float = 0.7, choice: float = 1.0):
        """Allocate ``capacity`` categories; ``vigilance`` is ρ, ``choice`` α."""
        super().__init__(input_size, capacity, vigilance, choice, rate=1.0)

    def taken(self, x_NI: Tensor) -> Tensor:
        """Return inputs of zeros and ones with at least one 1; ValueError for others."""
        fitting(x_NI, self.w_MI.shape[1])
        other = x_NI[(x_NI != 0) & (x_NI != 1)]
        if len(other):
            raise ValueError(f"an input holds {float(other[0]):g}: ART 1 takes zeros and ones")
        empty = (x_NI.sum(1) == 0).nonzero()
        if len(empty):
            raise ValueError(f"input {int(empty[0])} has no 1: ART 1 has nothing to match")
        return x_NI
