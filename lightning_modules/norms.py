"""Norms without overflow or underflow: entries are scaled by the largest before squaring.

    ‖v‖ = 2^e ‖v / 2^e‖        2^e: the power of two above the largest |v_i|

In float32 a sum of squares underflows for norms below about 1e-19 and overflows above 1e19, which
vanishing or exploding gradients reach long before they underflow or overflow themselves. Scaling
by a power of two rounds nothing; float64 holds the squares of every smaller type. A norm of
ordinary size is bit for bit the one that torch computes.

References:
    Blue (1978), A portable Fortran program to find the Euclidean norm of a vector, ACM
        Transactions on Mathematical Software 4(1).
"""

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

Axes = int | tuple[int, ...] | None


def scaled(v: Tensor, dim: Axes = None) -> tuple[Tensor, Tensor]:
    """Return v / 2^e and 2^e, one e along the axes ``dim`` (None: all), which are kept at length 1.

    2^e is a normal number. The largest |v_i| becomes a number from ½ to 4; a subnormal one, whose
    inverse the type cannot hold, becomes at least its square root. Zeros, inf and NaN stay as they
    are.
    """
    # abs and amax: the norm of order infinity takes ten times as long on a processor.
    largest = v.abs().amax(tuple(range(v.dim())) if dim is None else dim, keepdim=True)
    reach = _reach(v.dtype)
    exponent = torch.frexp(largest).exponent.clamp(-reach, reach).to(v.dtype)
    return v * torch.exp2(-exponent), torch.exp2(exponent)


def norm(v: Tensor, dim: Axes = None, keepdim: bool = False, over: float = 1) -> Tensor:
    """Return the 2-norm over the axes ``dim``, all of them where it is None, divided by ``over``.

    It is correct to rounding wherever v's type can hold it, and inf beyond.
    """
    if v.numel() == 0:
        return torch.linalg.vector_norm(v, dim=dim, keepdim=keepdim)
    axes = tuple(range(v.dim())) if dim is None else dim
    return (_here if v.is_cpu else _anywhere)(v, axes, keepdim, over)


def _here(v: Tensor, axes: Axes, keepdim: bool, over: float) -> Tensor:
    """Return the norm on a CPU, which is quick at summing the squares in float64.

    The band holds the norms from 1 / ``_most`` to ``_most``, whose squares fit v's own type. Norms
    in it are computed in that type, the others in float64. Where the norm in v's own type comes
    within a factor of two of the band's ends, the norm in float64 decides whether it is in it.
    """
    plain, most = torch.linalg.vector_norm(v, dim=axes, keepdim=keepdim), _most(v.dtype)
    if _all_below(most if v.dtype == torch.float64 else most / 2, plain):
        return _over(plain, over)
    if v.dtype == torch.float64:
        return _anywhere(v, axes, keepdim, over)
    wide = torch.linalg.vector_norm(v, dim=axes, keepdim=keepdim, dtype=torch.float64)
    within = (wide > 1 / most) & (wide < most)
    return torch.where(within, _over(plain, over), _over(wide, over).to(v.dtype))


def _anywhere(v: Tensor, axes: Axes, keepdim: bool, over: float) -> Tensor:
    """Return the norm by scaling; on a GPU this needs no synchronisation."""
    unit, scale = scaled(v, axes)
    whole = (torch.linalg.vector_norm(unit, dim=axes, keepdim=True) / over).mul_(scale)
    return whole if keepdim else whole.squeeze(axes)


def _over(sizes: Tensor, over: float) -> Tensor:
    """Return the sizes divided by ``over``; the same tensor where that is 1."""
    return sizes if over == 1 else sizes / over


def norms(parts: Sequence[Tensor]) -> Tensor:
    """Return the 2-norm of each of some tensors, (N,)."""
    if all(part.is_cpu for part in parts):  # one test of range for all of them
        plain_N = torch.stack([torch.linalg.vector_norm(part) for part in parts])
        if _all_below(_most(plain_N.dtype), plain_N):
            return plain_N
    return torch.stack([norm(part) for part in parts])


def joint(parts: Sequence[Tensor]) -> Tensor:
    """Return the 2-norm of some tensors taken as one vector; zero if there are none."""
    if not parts:
        return torch.zeros(())
    return norm(parts[0]) if len(parts) == 1 else norm(norms(parts))


def ratio(over: Tensor, under: Tensor) -> Tensor:
    """Return over / under in float64, so that it cannot overflow, rounded as their own type rounds.

    NaN where ``under`` is zero.
    """
    (over, i), (under, j) = torch.frexp(over), torch.frexp(under.where(under != 0, torch.nan))
    return (over / under).double() * torch.exp2((i - j).double())


def cosine(a: Tensor, b: Tensor, dim: Axes = None) -> Tensor:
    """Return the cosine of the angle between a and b over the axes; NaN where one is zero."""
    (a, _), (b, _) = scaled(a, dim), scaled(b, dim)
    a, b = (v / torch.linalg.vector_norm(v, dim=dim, keepdim=True) for v in (a, b))
    return (a * b).sum(dim)


def _all_below(most: float, sizes: Tensor) -> bool:
    """Tell whether all are below ``most`` and above its inverse."""
    least, largest = torch.aminmax(sizes)
    return 1 / most < float(least) and float(largest) < most


def _most(dtype: torch.dtype) -> float:
    """Return m such that norms from 1/m to m can be had from squares in the type itself."""
    return 2.0 ** (_reach(dtype) // 3)


@functools.cache
def _reach(dtype: torch.dtype) -> int:
    """Return the largest k for which 2^k and 2^-k are both normal numbers of the type."""
    return int(-math.log2(torch.finfo(dtype).smallest_normal))
