"""What Kohonen's maps share: units in a plane, of which the nearest wins, and a falling radius.

    c = argmin_m ‖x - w_m‖        σ_p = σ_first (σ_last / σ_first)^p        p from 0 to 1

p is the progress of training. Each map moves its units by its own rule.
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
        distance_MM: distances of units in the plane, in float64 whatever type the weights have.
        neighbours: which units are neighbours, (M, M), for each number of neighbours that an
            inner unit may have: 4 and 8, or 6.
        passes: passes over the data until the radius stops falling.
        pass_size: examples of a pass; None: all that one call of ``learn`` is given.
        passed, of_pass: how many passes are over, and how many examples of the present one.
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
        """Draw weights uniformly from [0, 1); ``radius`` is the first and the last σ."""
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
        """Set the weights, (M, I); ValueError for another shape."""
        if w_MI.shape != self.w_MI.shape:
            raise ValueError(f"weights are {(*w_MI.shape,)}: this map has {(*self.w_MI.shape,)}")
        self.w_MI.copy_(w_MI)

    def begin(self) -> None:
        """Start again from the first radius."""
        self.passed.zero_()
        self.of_pass.zero_()

    def radius_at(self, progress: float) -> float:
        """Return σ at this progress p."""
        return between(self.first, self.last, progress)

    def shares(self, radius: float, of: int | slice = slice(None)) -> Tensor:
        """Return h for winner ``of``, (M,), or for all winners, (M, M), in the weights' type."""
        return self.neighbourhood(self.distance_MM[of], radius).to(self.w_MI)

    def winner(self, x_NI: Tensor) -> Tensor:
        """Return the nearest unit of each input, (N,)."""
        return _errors.nearest(self.w_MI, fitting(x_NI, self.w_MI.shape[1]))

    def loss(self, x_NI: Tensor) -> Tensor:
        """Return the distance of each input to its nearest unit, (N,)."""
        return _errors.quantisation(self.w_MI, fitting(x_NI, self.w_MI.shape[1]))

    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return the quantisation error, and the topographic error for each kind of neighbours."""
        found = {"quantisation_error": self.loss(x_NI).double().mean()}
        first_N, second_N = _errors.nearest_two(self.w_MI, x_NI)
        for many, neighbours_MM in self.neighbours.items():
            near_N = neighbours_MM.to(first_N.device)[first_N, second_N]
            found[f"topographic_error_{many}"] = 1 - near_N.double().mean()
        return found


def falling(name: str, ends: Sequence[float]) -> tuple[float, float]:
    """Return the first and the last value; ValueError unless they are above 0 and do not rise."""
    if len(ends) != 2:
        raise ValueError(f"{name} is {ends!r}: give the first and the last")
    first, last = ends
    for which, value in (("first", first), ("last", last)):
        above(0, **{f"the {which} {name}": value})  # pyright: ignore[reportArgumentType]
    if last > first:
        raise ValueError(f"{name} goes from {first} to {last}: it falls, or stays")
    return first, last


def between(first: float, last: float, progress: float) -> float:
    """Return the value at this share of the way from ``first`` to ``last``, geometrically."""
    return first * (last / first) ** min(1.0, progress)
