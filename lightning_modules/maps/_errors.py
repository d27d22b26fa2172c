"""Two errors of a map: how far data are from units, and how often it breaks neighbourhoods.

    quantisation    mean ‖x - w_c‖, c the nearest unit
    topographic     share of inputs whose nearest and second nearest unit are no neighbours

The topographic error depends on whether a unit has 4, 6 or 8 neighbours, so that number must be
given with it. Units placed in the plane at random have a topographic error of
1 - (mean number of neighbours) / (M - 1) on average.

References:
    Kohonen (2001), Self-organizing maps, third edition, Springer: both errors.
    Kiviluoto (1996), Topology preservation in self-organizing maps, ICNN: the second.
"""

import torch
from torch import Tensor

AT_ONCE = 2**24
"""How many distances are held at once: a bound on memory."""


def nearest(w_MI: Tensor, x_NI: Tensor) -> Tensor:
    """Return the nearest unit of each input, (N,); of several equally near, the first."""
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
    """Return squared distances without ‖x‖², ‖w‖² - 2 x w, (N, M), and their rounding, (N, 1).

    A matrix product rounds differently for each unit, even for units of equal weights; their
    distances may be apart by as much as the second.
    """
    size_M = (w_MI * w_MI).sum(1)
    d_NM = torch.addmm(size_M, x_NI, w_MI.t(), alpha=-2)
    longest = (x_NI * x_NI).sum(1, keepdim=True).sqrt() * size_M.max().sqrt() + size_M.max()
    return d_NM, 4 * torch.finfo(d_NM.dtype).eps * x_NI.shape[1] ** 0.5 * longest


def _lowest(d_NM: Tensor, rounding_N1: Tensor) -> Tensor:
    """Return the first place where each row is lowest up to rounding, (N,)."""
    return (d_NM <= d_NM.amin(1, keepdim=True) + rounding_N1).byte().argmax(1)


def quantisation(w_MI: Tensor, x_NI: Tensor) -> Tensor:
    """Return the distance of each input to its nearest unit, (N,)."""
    return torch.linalg.vector_norm(x_NI - w_MI[nearest(w_MI, x_NI)], dim=1)


def topographic(w_MI: Tensor, x_NI: Tensor, neighbours_MM: Tensor) -> Tensor:
    """Return the share of inputs whose nearest two units are no neighbours."""
    first_N, second_N = nearest_two(w_MI, x_NI)
    return 1 - neighbours_MM[first_N, second_N].double().mean()


def scrambled(neighbours_MM: Tensor) -> float:
    """Return the mean topographic error of units placed in the plane at random."""
    M = len(neighbours_MM)
    return 1 - float(neighbours_MM.sum()) / M / (M - 1)
