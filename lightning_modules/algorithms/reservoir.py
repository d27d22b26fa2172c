"""Reservoir computing: the cell stays as it was drawn, and only what reads its state learns.

    dL/dw = 0        s_t as the cell makes it        V, c: the readout's own gradient, exact

The credit is still called at every step, so a readout that sums up its own gradient there learns as
it does under any other algorithm. This is the baseline that an algorithm must beat to have taught
the cell something. O(S²) a step for the states alone; no memory.

Zero gradients hold the weights under SGD and Adam alike; a decay of the weights would move them.

References:
    Jaeger (2001), The "echo state" approach to analysing and training recurrent neural networks,
        GMD Report 148, German National Research Center for Information Technology.
    Lukoševičius & Jaeger (2009), Reservoir computing approaches to recurrent neural network
        training, Computer Science Review 3(3).
"""

from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.algorithms._credit import credits_of
from lightning_modules.interfaces import Algorithm, Cell, Claim, Credit, Run


@final
class Reservoir(Algorithm):
    """No gradient for the cell."""

    claim = Claim.ZERO

    @torch.no_grad()
    def run(
        self,
        cell: Cell,
        x_TBI: Tensor,
        s_BS: Tensor,
        credit: Credit,
        memory: Any = None,
        resets_TB: Tensor | None = None,
    ) -> Run:
        """Go forward and let the credit see the states; the memory is always None."""
        path = cell.follow(x_TBI, s_BS, resets_TB)
        credits_of(credit, path.states_TBS)
        return Run(s_BS.new_zeros(path.parameters), path.states_TBS[-1].clone(), None, path)
