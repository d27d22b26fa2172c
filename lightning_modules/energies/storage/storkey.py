"""Storkey's rule: Hebb's, minus what the present weights already contribute; local, in one pass.

    h_ij = Σ_(k ≠ i,j) w_ik x_k / S        w_ij += x_i x_j - x_i h_ji - h_ij x_j

Weights are S times those of the papers, as ``hebb``'s are, and patterns are stored in the order
in which they come.

Cost: O(S²) a pattern.

References:
    Storkey (1997), Increasing the capacity of a Hopfield network without sacrificing functionality,
        ICANN.
    Storkey & Valabregue (1999), The basins of attraction of a new Hopfield learning rule, Neural
        Networks 12.
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.energies.storage._storage import Storage


@final
class Storkey(Storage):
    """One pattern after the other, each corrected by the weights so far."""

    def store(self, W_SS: Tensor, x_MS: Tensor, diagonal: bool) -> None:
        """Store them."""
        del diagonal
        S = len(W_SS)
        for x_S in x_MS:
            own_S = W_SS.diagonal() * x_S
            h_SS = (W_SS @ x_S - own_S)[:, None] - W_SS * x_S  # without k = i and without k = j
            h_SS.diagonal().add_(own_S)  # which are one where i = j: taken out once
            back_SS = h_SS * x_S
            W_SS.add_(torch.outer(x_S, x_S)).sub_(back_SS + back_SS.t(), alpha=1 / S)
