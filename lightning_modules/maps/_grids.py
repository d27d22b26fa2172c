"""Where the units of a map lie in its plane, and which are neighbours.

    rectangular    rows and columns, 1 apart: 4 neighbours at a distance of 1, 8 up to √2
    hexagonal      odd rows shifted by ½, rows √3/2 apart: 6 neighbours at a distance of 1

Units are numbered row by row. Those at the border have fewer neighbours.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from lightning_modules.registry import UnknownNameError, nearest

ROUNDING = 1e-9
"""The tolerance within which two distances in the plane count as equal."""


class Grid(NamedTuple):
    """A kind of plane."""

    places: Callable[[int, int], Tensor]
    """Rows and columns -> the place of each unit, (M, D), in float64."""
    reach: Mapping[int, float]
    """The distance to the furthest neighbour, for each number of neighbours of an inner unit."""


def _rectangular(rows: int, columns: int) -> Tensor:
    y_M, x_M = _numbers(rows, columns)
    return torch.stack([y_M, x_M], dim=1)


def _hexagonal(rows: int, columns: int) -> Tensor:
    y_M, x_M = _numbers(rows, columns)
    return torch.stack([y_M * (3**0.5 / 2), x_M + (y_M % 2) / 2], dim=1)


def _numbers(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Return the row and the column of each unit."""
    number_M = torch.arange(rows * columns)
    return (number_M // columns).double(), (number_M % columns).double()


GRIDS = {
    "rectangular": Grid(_rectangular, {4: 1.0, 8: 2**0.5}),
    "hexagonal": Grid(_hexagonal, {6: 1.0}),
}


def grid_named(name: str) -> Grid:
    """Return the grid of that name; UnknownNameError if there is none."""
    if name not in GRIDS:
        raise UnknownNameError(f"{name!r} is not one of the grids: {nearest(name, GRIDS)}")
    return GRIDS[name]


def distances(places_MD: Tensor) -> Tensor:
    """Return how far units lie apart in the plane, (M, M)."""
    return torch.linalg.vector_norm(places_MD[:, None] - places_MD, dim=-1)


def neighbours(distance_MM: Tensor, reach: float) -> Tensor:
    """Return which units are neighbours, (M, M) booleans; no unit is its own neighbour."""
    return (distance_MM > ROUNDING) & (distance_MM < reach + ROUNDING)
