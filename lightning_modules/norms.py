"""Norms that hold wherever the type does: scaled by the largest entry before they are squared.

    ‖v‖ = 2^e ‖v / 2^e‖        2^e: the power of two above the largest |v_i|

A sum of squares leaves float32 below norms of 1e-19 or so and above 1e19, which credits of a
vanishing or exploding gradient reach long before they leave the type. Scaling by a power of two
rounds nothing, so that an ordinary vector's norm stays the same bit for bit, and the norm of 2^k v
is 2^k times that of v. One pass more over v, and no question whose answer would be waited for.

References:
    Blue (1978), A portable Fortran program to find the Euclidean norm of a vector, ACM
        Transactions on Mathematical Software 4(1).
"""

import functools
import math

import torch
from torch import Tensor

Axes = int | tuple[int, ...] | None


def scaled(v: Tensor, dim: Axes = None) -> tuple[Tensor, Tensor]:
    """Return v / 2^e and 2^e, a normal number, whose axes ``dim`` (None: all) are of length 1.

    The largest |v_i| becomes a number from ½ to 4; a subnormal one, of which the type has no
    inverse, becomes at least its square root. Zeros, inf and NaN stay what they are.
    """
    # abs and amax: the norm of order infinity takes ten times as long on a processor.
    largest = v.abs().amax(tuple(range(v.dim())) if dim is None else dim, keepdim=True)
    reach = _reach(v.dtype)
    exponent = torch.frexp(largest).exponent.clamp(-reach, reach).to(v.dtype)
    return v * torch.exp2(-exponent), torch.exp2(exponent)


def norm(v: Tensor, dim: Axes = None, keepdim: bool = False) -> Tensor:
    """Return the 2-norm over the axes ``dim``, all of them where it is None.

    It is right to rounding wherever it is a number of v's type, and inf beyond.
    """
    if v.numel() == 0:
        return torch.linalg.vector_norm(v, dim=dim, keepdim=keepdim)
    unit, scale = scaled(v, dim)
    of_unit = torch.linalg.vector_norm(unit, dim=dim, keepdim=True)
    whole = of_unit * scale
    if keepdim:
        return whole
    return whole.squeeze(tuple(range(v.dim())) if dim is None else dim)


def joint(parts: list[Tensor]) -> Tensor:
    """Return the 2-norm of some tensors as one vector; zero of none."""
    if not parts:
        return torch.zeros(())
    return norm(torch.stack([norm(part) for part in parts]))


def cosine(a: Tensor, b: Tensor, dim: Axes = None) -> Tensor:
    """Return the cosine of the angle between a and b over the axes; NaN where one is zero."""
    (a, _), (b, _) = scaled(a, dim), scaled(b, dim)
    a, b = (v / torch.linalg.vector_norm(v, dim=dim, keepdim=True) for v in (a, b))
    return (a * b).sum(dim)


@functools.cache
def _reach(dtype: torch.dtype) -> int:
    """Return the largest k of which 2^k and 2^-k are both normal numbers of the type."""
    return int(-math.log2(torch.finfo(dtype).smallest_normal))
