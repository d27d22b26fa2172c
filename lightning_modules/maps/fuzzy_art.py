"""Fuzzy ART: categories of inputs in [0, 1], each a box that contains all its inputs.

    T_j = |I ∧ w_j| / (α + |w_j|)      |I ∧ w_j| / |I| >= ρ      w_J <- β (I ∧ w_J) + (1 - β) w_J

Inputs are complement-coded, I = (a, 1 - a), so |I| = D for all inputs of D numbers, and a template
w = (u, 1 - v) is the box from u to v: it grows as w shrinks, to a size |v - u| of at most
(1 - ρ) D. Without this code templates shrink towards 0 and categories proliferate, so inputs that
are not coded are refused. As α -> 0 the smallest box that contains an input is tried first; with
β = 1 nothing changes from the second pass on.

Cost: O(K D) an input, K categories.

Where we differ from the paper: see ``_art.py``.

References:
    Carpenter, Grossberg & Rosen (1991), Fuzzy ART: fast stable learning and categorization of
        analog patterns by an adaptive resonance system, Neural Networks 4(6).
    Georgiopoulos, Fernlund, Bebis & Heileman (1996), Order of search in fuzzy ART and fuzzy ARTMAP:
        effect of the choice parameter, Neural Networks 9(9).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.maps._art import ART, within

ROUNDING = 1e-5
"""How far a + (1 - a) may be off 1, for float32."""


@final
class FuzzyART(ART):
    """Fast learning; with ``rate`` below 1, slow recoding, where only new categories learn fast."""

    def __init__(
        self,
        input_size: int,
        capacity: int,
        vigilance: float = 0.7,
        choice: float = 1e-6,
        rate: float = 1.0,
    ):
        """``input_size`` is 2 D, after coding; ``vigilance`` is ρ, ``choice`` α, ``rate`` β."""
        super().__init__(input_size, capacity, vigilance, choice, rate)
        if input_size % 2:
            raise ValueError(f"input_size is {input_size}: complement-coded it is even")

    def taken(self, x_NI: Tensor) -> Tensor:
        """Return inputs (a, 1 - a) within [0, 1]; ValueError for others."""
        within(x_NI, self.w_MI.shape[1], "Fuzzy ART")
        a_ND, complement_ND = x_NI.chunk(2, dim=1)
        off_N = (a_ND + complement_ND - 1).abs().amax(1) if len(x_NI) else torch.zeros(())
        if bool((off_N > ROUNDING).any()):
            raise ValueError(
                f"an input is off by {float(off_N.max()):.2g}: complement-code it, (a, 1 - a), as "
                "maps/_coding.py does"
            )
        return x_NI
