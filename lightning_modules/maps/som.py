"""Kohonen's map: the winner and its neighbours in the plane move towards each input.

    c = argmin_m ‖x - w_m‖        w_m <- w_m + η h(d_mc, σ) (x - w_m)

η and σ fall geometrically over the run, from example to example. If a chain of units learns from
data of density p at a constant small η, with a bubble of half-width n, the density of its units
becomes p to the power

    2/3 - 1 / (3 n² + 3 (n + 1)²)

For n = 0 the power is 1/3, as for units of least mean square distance.

Cost: O(M I) an example.

Where we differ from the paper: Kohonen lets η and σ fall linearly or as the inverse of time.

References:
    Kohonen (1982), Self-organized formation of topologically correct feature maps, Biological
        Cybernetics 43.
    Ritter (1991), Asymptotic level density for a class of vector quantization processes, IEEE
        Transactions on Neural Networks 2(1): the exponent.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from lightning_modules.maps._kohonen import Kohonen, between, falling
from lightning_modules.maps._map import Seen, fitting


@final
class SOM(Kohonen):
    """Update after each example."""

    def __init__(
        self,
        input_size: int,
        rows: int,
        columns: int,
        grid: str = "rectangular",
        neighbourhood: str = "gaussian",
        radius: Sequence[float] = (3.0, 0.5),
        rate: Sequence[float] = (0.5, 0.01),
        passes: int = 1,
        pass_size: int | None = None,
    ):
        """``rate`` is the first and the last η, at most 1; ``radius`` is the same of σ."""
        kohonen = grid, neighbourhood, radius, passes, pass_size
        super().__init__(input_size, rows, columns, *kohonen)
        self.fastest, self.slowest = falling("rate", rate)
        if self.fastest > 1:
            raise ValueError(f"rate is {self.fastest}: above 1 a unit moves beyond the input")

    @torch.no_grad()
    def learn(self, x_NI: Tensor, y_N: Tensor | None = None) -> Seen:
        """Learn the examples; ``loss`` sums the distances to their winners before these move.

        Every example counts as a change.
        """
        del y_N
        w_MI, loss = self.w_MI, x_NI.new_zeros(())
        size = self.pass_size or len(x_NI)
        gone, total = int(self.passed) * size + int(self.of_pass), self.passes * size
        for n, x_I in enumerate(fitting(x_NI, w_MI.shape[1]).unbind()):
            progress = (gone + n) / max(1, total - 1)
            away_MI = x_I - w_MI
            d_M = (away_MI * away_MI).sum(1)
            c = int(torch.argmin(d_M))
            h_M = self.shares(self.radius_at(progress), c)
            w_MI.addcmul_(h_M.unsqueeze(1), away_MI, value=self._rate_at(progress))
            loss += d_M[c].sqrt()
        if len(x_NI):
            gone += len(x_NI)
            self.passed.fill_(gone // size)
            self.of_pass.fill_(gone % size)
        return Seen(len(x_NI), len(x_NI), float(loss))

    def _rate_at(self, progress: float) -> float:
        return between(self.fastest, self.slowest, progress)
