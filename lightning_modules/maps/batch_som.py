"""The batch map: after a pass, each unit moves to the mean of what it and its neighbours won.

    c_n = argmin_m ‖x_n - w_m‖        w_m <- Σ_n h(d_mc_n, σ) x_n / Σ_n h(d_mc_n, σ)

There is no rate, and the order of the data makes no difference beyond rounding. With a bubble of
radius 0 a pass is Lloyd's step of k-means. A unit for which all h are 0 stays where it is. σ falls
geometrically from pass to pass.

A fixed point of this rule is one of ``som``, too, on average over the data and at a small rate.

Cost: O(M I) an example, O(M² I) a pass.

References:
    Kohonen (1993), Things you haven't heard about the self-organizing map, ICNN.
    Kohonen (2001), Self-organizing maps, third edition, Springer, section 3.6.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from lightning_modules.maps import _errors
from lightning_modules.maps._kohonen import Kohonen
from lightning_modules.maps._map import Seen, fitting


@final
class BatchSOM(Kohonen):
    """Update after each pass.

    Attributes:
        sum_MI, count_M: the sum and the number of the inputs that each unit won in this pass.
    """

    sum_MI: Tensor
    count_M: Tensor

    def __init__(
        self,
        input_size: int,
        rows: int,
        columns: int,
        grid: str = "rectangular",
        neighbourhood: str = "gaussian",
        radius: Sequence[float] = (3.0, 0.5),
        passes: int = 10,
        pass_size: int | None = None,
    ):
        """``radius`` is the first and the last σ; the last is reached after ``passes``."""
        kohonen = grid, neighbourhood, radius, passes, pass_size
        super().__init__(input_size, rows, columns, *kohonen)
        self.register_buffer("sum_MI", torch.zeros_like(self.w_MI))
        self.register_buffer("count_M", torch.zeros(rows * columns))

    def begin(self) -> None:
        """Go back to the first radius, and forget what was won in the present pass."""
        super().begin()
        self.sum_MI.zero_()
        self.count_M.zero_()

    @torch.no_grad()
    def learn(self, x_NI: Tensor, y_N: Tensor | None = None) -> Seen:
        """Learn the examples; ``loss`` sums the distances to their winners.

        ``changes`` counts all examples of each pass that moved a unit; at a fixed point it is 0.
        """
        del y_N
        total, left_NI = Seen(), fitting(x_NI, self.w_MI.shape[1])
        size = self.pass_size or len(left_NI)
        while len(left_NI):
            part_NI = left_NI[: size - int(self.of_pass)]
            left_NI = left_NI[len(part_NI) :]
            c_N = _errors.nearest(self.w_MI, part_NI)
            loss = torch.linalg.vector_norm(part_NI - self.w_MI[c_N], dim=1).sum()
            self.sum_MI.index_add_(0, c_N, part_NI)
            self.count_M.index_add_(0, c_N, torch.ones_like(c_N, dtype=self.count_M.dtype))
            self.of_pass += len(part_NI)
            moved = int(self.of_pass) == size and self._close()
            changes = total.changes + (size if moved else 0)
            total = Seen(total.examples + len(part_NI), changes, total.loss + float(loss))
        return total

    def _close(self) -> bool:
        """End the pass: move the units; return whether any moved."""
        radius = self.radius_at(int(self.passed) / max(1, self.passes - 1))
        h_MM = self.shares(radius)
        reached_M = h_MM @ self.count_M
        sum_MI = h_MM @ self.sum_MI
        # Below the least normal number a quotient of two sums has no accurate digits left.
        moves_M = reached_M >= torch.finfo(reached_M.dtype).tiny
        to_MI = torch.where(moves_M[:, None], sum_MI / reached_M[:, None], self.w_MI)
        moved = not torch.equal(to_MI, self.w_MI)
        self.w_MI.copy_(to_MI)
        self.sum_MI.zero_()
        self.count_M.zero_()
        self.of_pass.zero_()
        self.passed += 1
        return moved
