"""The errors of units in a plane, beside those of the same units at random places of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

SCRAMBLES = 50


def errors(
    w_MI: "Tensor", x_NI: "Tensor", grid: str, rows: int, columns: int
) -> Iterator[dict[str, Any]]:
    """Yield, for each kind of neighbours of the grid, both errors, and what scrambled units have.

    ``scrambled`` is the mean over ``SCRAMBLES`` orders of the units, ``chance`` over all.
    """
    import torch

    from lightning_modules.maps._errors import nearest_two, quantisation, scrambled
    from lightning_modules.maps._grids import distances, grid_named, neighbours

    of = grid_named(grid)
    apart_MM = distances(of.places(rows, columns))
    first_N, second_N = nearest_two(w_MI, x_NI)
    orders = [torch.randperm(len(w_MI)) for _ in range(SCRAMBLES)]
    error = float(quantisation(w_MI, x_NI).double().mean())
    for many, reach in of.reach.items():
        near_MM = neighbours(apart_MM, reach)
        lost = [1 - near_MM[at_M[first_N], at_M[second_N]].double().mean() for at_M in orders]
        yield {
            "error": error,
            "neighbours": many,
            "topographic": 1 - float(near_MM[first_N, second_N].double().mean()),
            "scrambled": float(sum(lost)) / len(lost),
            "chance": scrambled(near_MM),
        }
