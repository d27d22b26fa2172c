"""How fast the gradient changes along an update: local smoothness.

    smoothness = ‖g(θ + Δθ) - g(θ)‖ / ‖Δθ‖        norm = ‖g(θ)‖

Both gradients are of the same passage, so that their difference does not depend on the next batch;
g is by cell and readout together, before clipping, by back-propagation through the passage from its
first state. It costs two runs of back-propagation, one of them on the moved weights.

Where the norm of the loss's Hessian is bounded, this is at most the bound. Zhang et al. find that
it grows with the gradient's norm instead, as L0 + L1 ‖g‖; that is where clipping helps.

References:
    Zhang, He, Sra & Jadbabaie (2020), Why gradient clipping accelerates training: a theoretical
        justification for adaptivity, ICLR, arXiv:1905.11881.
    Santurkar, Tsipras, Ilyas & Madry (2018), How does batch normalization help optimization?,
        NeurIPS, arXiv:1805.11604: smoothness measured along the step.
"""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.instruments import Row, Update
from lightning_modules.norms import norms, ratio
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage


@final
class Smoothness(Probe):
    """‖Δg‖ / ‖Δθ‖ and ‖g‖ of the last passage before an update."""

    sees = needs = frozenset({"losses", "updates"})

    def __init__(self, every: int = 50):
        """Look at every ``every``-th batch."""
        super().__init__(every)
        self._last: tuple[Passage, Tensor] | None = None

    def passed(self, seen: Passage) -> None:
        """Take the gradient, and remember the passage until the weights have moved."""
        self._last = None if seen.gradient_P is None else (seen, _gradient(seen))

    def updated(self, seen: Update) -> None:
        """Take the gradient again and keep how far it moved."""
        if self._last is None:
            return
        (passage, before_P), self._last = self._last, None
        pairs = zip(seen.before, seen.after, strict=True)
        moved_P = torch.cat([(after - before).flatten() for before, after in pairs])
        changed, moved, size = norms([_gradient(passage) - before_P, moved_P, before_P]).unbind()
        self.keep(smoothness=ratio(changed, moved), norm=size)

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity."""
        for quantity in means:
            for row in self.defined_of(quantity):
                yield {"quantity": quantity, **row}


def _gradient(seen: Passage) -> Tensor:
    """Return the gradient of L by cell and readout at the weights as they are now, (P,)."""
    everyone, reading = slice(None), seen.reading
    run = BPTT().run(
        seen.cell, seen.x_TBI, seen.s_BS, reading.credit(everyone), resets_TB=seen.resets_TB
    )
    h_TBH = run.path.states_TBS[..., : seen.cell.hidden_size]
    assert seen.gradient_P is not None
    with torch.enable_grad():
        shift_P = torch.zeros_like(seen.gradient_P[run.path.parameters :]).requires_grad_()
        loss = reading.loss(everyone, h_TBH, shift_P)
        (of_readout_P,) = torch.autograd.grad(loss, shift_P)
    return torch.cat([run.gradient_P, of_readout_P]).div_(seen.counted)
