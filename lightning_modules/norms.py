"""Norms that hold wherever the type does: scaled by the largest entry before they are squared.

    ‖v‖ = 2^e ‖v / 2^e‖        2^e: the power of two above the largest |v_i|

A sum of squares leaves float32 below norms of 1e-19 or so and above 1e19, which credits of a
vanishing or exploding gradient reach long before they leave the type. Scaling by a power of two
rounds nothing, so that an ordinary vector's norm stays the same bit for bit, and the norm of 2^k v
is 2^k times that of v. On a GPU it is one pass more over v, and no question whose answer would be
waited for; a processor looks at the plain norm first, and keeps it where it is far from both ends.

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
    """Return v / 2^e and 2^e, a normal number, whose axes ``dim`` (None: all) are of length 1.

    The largest |v_i| becomes a number from ½ to 4; a subnormal one, of which the type has no
    inverse, becomes at least its square root. Zeros, inf and NaN stay what they are.
    """
    # abs and amax: the norm of order infinity takes ten times as long on a processor.
    largest = v.abs().amax(tuple(range(v.dim())) if dim is None else dim, keepdim=True)
    reach = _reach(v.dtype)
    exponent = torch.frexp(largest).exponent.clamp(-reach, reach).to(v.dtype)
    return v * torch.exp2(-exponent), torch.exp2(exponent)


def norm(v: Tensor, dim: Axes = None, keepdim: bool = False, over: float = 1) -> Tensor:
    """Return the 2-norm over the axes ``dim``, all of them where it is None, divided by ``over``.

    It is right to rounding wherever it is a number of v's type, and inf beyond.
    """
    if v.is_cpu or v.numel() == 0:
        plain = torch.linalg.vector_norm(v, dim=dim, keepdim=keepdim)
        if v.numel() == 0 or _far_from_both_ends(plain):
            return plain if over == 1 else plain / over
        if dim == -1 and not keepdim and v.dim() > 1:
            near = ~_far(plain)
            plain = plain / over
            plain[near] = _whole(v[near], -1, over).squeeze(-1)
            return plain
    whole = _whole(v, dim, over)
    if keepdim:
        return whole
    return whole.squeeze(tuple(range(v.dim())) if dim is None else dim)


def _whole(v: Tensor, dim: Axes, over: float) -> Tensor:
    """Return the norm at any scale, its axes kept."""
    unit, scale = scaled(v, dim)
    return (torch.linalg.vector_norm(unit, dim=dim, keepdim=True) / over).mul_(scale)


def norms(parts: Sequence[Tensor]) -> Tensor:
    """Return the 2-norm of each of some tensors, (N,)."""
    if all(part.is_cpu for part in parts):
        plain_N = torch.stack([torch.linalg.vector_norm(part) for part in parts])
        if _far_from_both_ends(plain_N):
            return plain_N
    return torch.stack([norm(part) for part in parts])


def joint(parts: Sequence[Tensor]) -> Tensor:
    """Return the 2-norm of some tensors as one vector; zero of none."""
    if not parts:
        return torch.zeros(())
    return norm(parts[0]) if len(parts) == 1 else norm(norms(parts))


def ratio(over: Tensor, under: Tensor) -> Tensor:
    """Return over / under, rounded as their type does, in float64, whose range is wider.

    NaN where ``under`` is zero: what has no length is nothing to compare with.
    """
    (over, i), (under, j) = torch.frexp(over), torch.frexp(under.where(under != 0, torch.nan))
    return (over / under).double() * torch.exp2((i - j).double())


def cosine(a: Tensor, b: Tensor, dim: Axes = None) -> Tensor:
    """Return the cosine of the angle between a and b over the axes; NaN where one is zero."""
    (a, _), (b, _) = scaled(a, dim), scaled(b, dim)
    a, b = (v / torch.linalg.vector_norm(v, dim=dim, keepdim=True) for v in (a, b))
    return (a * b).sum(dim)


def _far_from_both_ends(plain: Tensor) -> bool:
    """Tell whether no square that counted in any of these norms can have left the type."""
    most = 2.0 ** (_reach(plain.dtype) // 3)
    least, largest = (float(end) for end in plain.detach().aminmax())
    return 1 / most < least and largest < most


def _far(plain: Tensor) -> Tensor:
    """Tell the same of each of them; not of what is no number."""
    most = 2.0 ** (_reach(plain.dtype) // 3)
    return (plain > 1 / most) & (plain < most)


@functools.cache
def _reach(dtype: torch.dtype) -> int:
    """Return the largest k of which 2^k and 2^-k are both normal numbers of the type."""
    return int(-math.log2(torch.finfo(dtype).smallest_normal))
