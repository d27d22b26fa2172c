"""Neighbourhood functions h(d, σ): how much a unit learns at distance d from the winner.

gaussian    exp(-d² / 2σ²)
bubble      1 up to a distance of σ, 0 beyond
"""

from collections.abc import Callable

import torch
from torch import Tensor

from lightning_modules.maps._grids import ROUNDING
from lightning_modules.registry import UnknownNameError, nearest

Neighbourhood = Callable[[Tensor, float], Tensor]


def _gaussian(distance: Tensor, radius: float) -> Tensor:
    return torch.exp(distance.square() / (-2 * radius**2))


def _bubble(distance: Tensor, radius: float) -> Tensor:
    return (distance < radius + ROUNDING).to(distance.dtype)


NEIGHBOURHOODS: dict[str, Neighbourhood] = {"gaussian": _gaussian, "bubble": _bubble}


def neighbourhood_named(name: str) -> Neighbourhood:
    """Return the function of that name; UnknownNameError if there is none."""
    if name not in NEIGHBOURHOODS:
        hint = nearest(name, NEIGHBOURHOODS)
        raise UnknownNameError(f"{name!r} is not one of the neighbourhoods: {hint}")
    return NEIGHBOURHOODS[name]
