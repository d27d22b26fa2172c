"""Example: the winner alone moves towards the input; your map here.

    c = argmin_m ‖x - w_m‖        w_c += η (x - w_c)

Cost: O(M I) an example.

References:
    Rumelhart & Zipser (1985), Feature discovery by competitive learning, Cognitive Science 9(1).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.maps._map import Map, Seen, fitting, rest


@final
class Example(Map):
    """Units without neighbours."""

    def __init__(self, input_size: int, units: int, rate: float = 0.1):
        """Build the map, its weights drawn evenly from [0, 1]; ``rate`` is η, at most 1."""
        super().__init__()
        whole(1, input_size=input_size, units=units)
        above(0, most=1, rate=rate)
        self.w_MI, self.rate = rest(torch.rand(units, input_size)), rate

    def winner(self, x_NI: Tensor) -> Tensor:
        """Return the number of the nearest unit, (N,)."""
        return self._distances(x_NI).argmin(1)

    @torch.no_grad()
    def learn(self, x_NI: Tensor, y_N: Tensor | None = None) -> Seen:
        """Go through the examples; ``loss`` is the distance to winners before they move."""
        del y_N
        loss = 0.0
        for x_I in fitting(x_NI, self.w_MI.shape[1]).unbind():
            d_M = self._distances(x_I[None])[0]
            c = int(d_M.argmin())
            self.w_MI[c] += self.rate * (x_I - self.w_MI[c])
            loss += float(d_M[c])
        return Seen(len(x_NI), len(x_NI), loss)

    def loss(self, x_NI: Tensor) -> Tensor:
        """Return the distance from each input to its winner, (N,)."""
        return self._distances(x_NI).amin(1)

    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return how many units win for at least one input."""
        return {"winners": torch.tensor(float(len(self.winner(x_NI).unique())))}

    def _distances(self, x_NI: Tensor) -> Tensor:
        """Return how far each unit is from each input, (N, M)."""
        away_NMI = fitting(x_NI, self.w_MI.shape[1])[:, None] - self.w_MI
        return away_NMI.square().sum(-1).sqrt()
