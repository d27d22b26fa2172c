"""How well units stand for data, and how well neighbours in the plane are neighbours there.

    quantisation    mean ‖x - w_c‖, c the nearest unit
    topographic     share of inputs whose nearest and second nearest unit are no neighbours

Whether a unit has 4, 8 or 6 neighbours is part of the second, which says nothing without it. Units
that were put into the plane at random have 1 - (mean number of neighbours) / (M - 1) on average.

References:
    Kohonen (2001), Self-organizing maps, third edition, Springer: both errors.
    Kiviluoto (1996), Topology preservation in self-organizing maps, ICNN: the second.
"""

import torch
from torch import Tensor

AT_ONCE = 2**24
"""Distances that are held together."""


def nearest(w_MI: Tensor, x_NI: Tensor) -> Tensor:
    """Return the nearest unit of each input, (N,), the first of those that are as near."""
    parts = x_NI.split(max(1, AT_ONCE // len(w_MI)))
    return torch.cat([_lowest(*_squares(w_MI, part_NI)) for part_NI in parts])


def nearest_two(w_MI: Tensor, x_NI: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest and the second nearest unit of each input, (N,) and (N,)."""
    found = []
    for part_NI in x_NI.split(max(1, AT_ONCE // len(w_MI))):
        d_NM, rounding_N1 = _squares(w_MI, part_NI)
        first_N = _lowest(d_NM, rounding_N1)
        d_NM.scatter_(1, first_N.unsqueeze(1), torch.inf)
        found.append((first_N, _lowest(d_NM, rounding_N1)))
    first, second = zip(*found, strict=True)
    return torch.cat(first), torch.cat(second)


def _squares(w_MI: Tensor, x_NI: Tensor) -> tuple[Tensor, Tensor]:
    """Return ‖w‖² - 2 x w, squared distances but for the same ‖x‖² of all units, and its rounding.

    (N, M) and (N, 1). A matrix product rounds by where in it a unit stands, so that units at one
    place differ by as much.
    """
    size_M = (w_MI * w_MI).sum(1)
    d_NM = torch.addmm(size_M, x_NI, w_MI.t(), alpha=-2)
    longest = (x_NI * x_NI).sum(1, keepdim=True).sqrt() * size_M.max().sqrt() + size_M.max()
    return d_NM, 4 * torch.finfo(d_NM.dtype).eps * x_NI.shape[1] ** 0.5 * longest


def _lowest(d_NM: Tensor, rounding_N1: Tensor) -> Tensor:
    """Return where each row is lowest but for rounding, (N,), the first place of several."""
    return (d_NM <= d_NM.amin(1, keepdim=True) + rounding_N1).byte().argmax(1)


def quantisation(w_MI: Tensor, x_NI: Tensor) -> Tensor:
    """Return the distance of each input to its nearest unit, (N,)."""
    return torch.linalg.vector_norm(x_NI - w_MI[nearest(w_MI, x_NI)], dim=1)


def topographic(w_MI: Tensor, x_NI: Tensor, neighbours_MM: Tensor) -> Tensor:
    """Return the share of inputs whose nearest two units are no neighbours."""
    first_N, second_N = nearest_two(w_MI, x_NI)
    return 1 - neighbours_MM[first_N, second_N].double().mean()


def scrambled(neighbours_MM: Tensor) -> float:
    """Return the topographic error of units at random places, on average over the places."""
    M = len(neighbours_MM)
    return 1 - float(neighbours_MM.sum()) / M / (M - 1)
