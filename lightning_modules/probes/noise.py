"""Signal and noise of the gradient: its mean over the batch against its spread.

    g_b = B ∂L_b/∂w        L_b: sample b's share of L, so that the mean of g_b is ∂L/∂w
    signal = ‖mean g_b‖        spread = sqrt(Σ_b ‖g_b - mean g‖² / (B - 1))        ratio of the two

Gradients are by the cell's weights, with error through the passage alone, whatever the algorithm.
It costs one backward sweep and a gradient for each sample: about as much as BPTT once more. One
sample has no spread: None.

References:
    McCandlish, Kaplan, Amodei & OpenAI (2018), An empirical model of large-batch training,
        arXiv:1812.06162: spread² / signal² is the simple noise scale, up to the bias of ‖mean‖².
"""

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lightning_modules.instruments import Row
from lightning_modules.norms import norm, ratio, scaled
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage


@final
class Noise(Probe):
    """The gradient's norm and its spread over samples."""

    sees = frozenset({"passages"})

    def passed(self, seen: Passage) -> None:
        """Keep signal, spread and their ratio."""
        u_TBZ, _ = seen.swept
        B = u_TBZ.shape[1]
        g_BRP = u_TBZ.new_zeros(B, 1, seen.run.path.parameters)
        seen.run.path.accumulate(u_TBZ.unsqueeze(2), 0, g_BRP)
        g_BP, scale = scaled(g_BRP.squeeze(1))  # the sum over samples might overflow
        g_BP.mul_(B / seen.counted)
        mean_P = g_BP.mean(0)
        signal, spread = norm(mean_P), norm(g_BP.sub_(mean_P), over=(B - 1 or torch.nan) ** 0.5)
        scale = scale.squeeze()
        self.keep(signal=signal * scale, spread=spread * scale, ratio=ratio(signal, spread))

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each quantity."""
        for quantity in means:
            for row in self.defined_of(quantity):
                yield {"quantity": quantity, **row}
