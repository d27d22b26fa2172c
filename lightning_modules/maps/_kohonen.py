"""What Kohonen's maps share: units in a plane, the nearest of which wins, and a radius that falls.

    c = argmin_m ‖x - w_m‖        σ_p = σ_first (σ_last / σ_first)^p        p from 0 to 1

How units are moved is each map's own.
"""

import abc
from collections.abc import Sequence

import torch
from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.maps import _errors
from lightning_modules.maps._grids import distances, grid_named, neighbours
from lightning_modules.maps._map import Map, fitting, rest
from lightning_modules.maps._neighbourhoods import neighbourhood_named


class Kohonen(Map, abc.ABC):
    """Units in a plane.

    Attributes:
        rows, columns: units down and across.
        distance_MM: how far units lie apart in the plane, in float64 whatever the weights are.
        neighbours: which are neighbours, (M, M), by how many a unit inside has: 4 and 8, or 6.
        passes: over the data, after which the radius falls no more.
        pass_size: examples of a pass; None takes what ``learn`` is given as one.
        passed, of_pass: how many passes are over, and examples of the present one.
    """

    passed: Tensor
    of_pass: Tensor

    def __init__(
        self,
        input_size: int,
        rows: int,
        columns: int,
        grid: str,
        neighbourhood: str,
        radius: Sequence[float],
        passes: int,
        pass_size: int | None,
    ):
        """Start from weights that are uniform in [0, 1); ``radius`` is the first and the last."""
        super().__init__()
        whole(1, input_size=input_size, rows=rows, columns=columns, passes=passes)
        if rows * columns < 2:
            raise ValueError(f"a map of {rows}×{columns} has one unit: give it two at least")
        if pass_size is not None:
            whole(1, "or None", pass_size=pass_size)
        self.first, self.last = falling("radius", radius)
        self.rows, self.columns, self.passes, self.pass_size = rows, columns, passes, pass_size
        of, self.neighbourhood = grid_named(grid), neighbourhood_named(neighbourhood)
        self.w_MI = rest(torch.rand(rows * columns, input_size))
        self.distance_MM = distances(of.places(rows, columns))
        self.neighbours = {k: neighbours(self.distance_MM, r) for k, r in of.reach.items()}
        for name in ("passed", "of_pass"):  # buffers, so that checkpoints hold them
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))

    def place(self, w_MI: Tensor) -> None:
        """Put the units at these weights; ValueError where they do not fit."""
        if w_MI.shape != self.w_MI.shape:
            raise ValueError(f"weights are {(*w_MI.shape,)}: this map has {(*self.w_MI.shape,)}")
        self.w_MI.copy_(w_MI)

    def begin(self) -> None:
        """Start again from the first radius."""
        self.passed.zero_()
        self.of_pass.zero_()

    def radius_at(self, progress: float) -> float:
        """Return σ after this share of the run."""
        return between(self.first, self.last, progress)

    def shares(self, radius: float, of: int | slice = slice(None)) -> Tensor:
        """Return how much units learn with some winners, (M,) or (M, M), in the weights' type."""
        return self.neighbourhood(self.distance_MM[of], radius).to(self.w_MI)

    def winner(self, x_NI: Tensor) -> Tensor:
        """Return the nearest unit of each input, (N,)."""
        return _errors.nearest(self.w_MI, fitting(x_NI, self.w_MI.shape[1]))

    def loss(self, x_NI: Tensor) -> Tensor:
        """Return the distance of each input to its nearest unit, (N,)."""
        return _errors.quantisation(self.w_MI, fitting(x_NI, self.w_MI.shape[1]))

    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return the quantisation error, and the topographic one by each kind of neighbours."""
        found = {"quantisation_error": self.loss(x_NI).double().mean()}
        first_N, second_N = _errors.nearest_two(self.w_MI, x_NI)
        for many, neighbours_MM in self.neighbours.items():
            near_N = neighbours_MM.to(first_N.device)[first_N, second_N]
            found[f"topographic_error_{many}"] = 1 - near_N.double().mean()
        return found


def falling(name: str, ends: Sequence[float]) -> tuple[float, float]:
    """Return the first and the last value; ValueError where they are not above 0, or rise."""
    if len(ends) != 2:
        raise ValueError(f"{name} is {ends!r}: give the first and the last")
    first, last = ends
    for which, value in (("first", first), ("last", last)):
        above(0, **{f"the {which} {name}": value})  # pyright: ignore[reportArgumentType]
    if last > first:
        raise ValueError(f"{name} goes from {first} to {last}: it falls, or stays")
    return first, last


def between(first: float, last: float, progress: float) -> float:
    """Return what has fallen from ``first`` after this share of the way, by equal ratios."""
    return first * (last / first) ** min(1.0, progress)
