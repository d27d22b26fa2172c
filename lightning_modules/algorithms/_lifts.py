"""Rows on their way back, scaled ("lifted") by powers of two so that they do not underflow.

    slot t holds  2^k v_t        k is chosen for each row so that its largest entry is in the band

Powers of two round nothing, so no normal number is lost, however small the credit or however far
it fades; and squares of what is in the band neither underflow nor overflow. Entries that are
subnormal even after lifting are set to zero, since a CPU is a hundred times slower on them. A GPU
is not, so there rows stay as they are: testing their size would make it wait.
"""

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.linalg import vector_norm

from lightning_modules.norms import norm


class Band(NamedTuple):
    """The range in which the largest entry of a row is kept."""

    low: float
    middle: int
    """The exponent of two to which a row outside of the band is scaled."""
    high: float
    reach: int
    """The largest k for which 2^k and 2^-k are both normal."""
    tiny: float
    """2^-reach, the least normal number."""


@functools.cache
def band(dtype: torch.dtype) -> Band:
    """Return the type's band: in float32 from 2^-42 to 2^54, what leaves it becoming 2^42."""
    tiny = torch.finfo(dtype).tiny
    reach = 1 - math.frexp(tiny)[1]
    return Band(2.0 ** -(reach // 3), reach // 3, 2.0 ** (reach * 3 // 7), reach, tiny)


class Lifts:
    """The factors by which the rows of one way back were lifted, and at which slots.

    Attributes:
        size: log ‖rows‖ without lifts, at the last slot where it was asked for.
    """

    def __init__(self):
        self._inverses: list[tuple[int, Tensor]] = []
        self._log: Tensor | float = 0.0
        self.size = math.nan

    def keep(self, rows: Tensor, t: int, asked: bool) -> None:
        """Bring rows at slot t, and so all below, into the band; set ``size`` if asked."""
        low, _, high, _, tiny = band(rows.dtype)
        torch.hardshrink(rows, tiny, out=rows)
        one = rows.dim() == 2 and rows.shape[0] == 1
        size = vector_norm(rows).item() if one else math.nan
        if not low <= size <= high and (exponent := lift(rows, 1)) is not None:
            self._inverses.append((t, torch.exp2(-exponent)))
            log = self._log - exponent.squeeze(-1).double() * math.log(2)
            self._log = log.item() if one else log
            size = vector_norm(rows).item()
        if isinstance(self._log, float) and one:
            self.size = _log(size) + self._log
        elif asked:
            self.size = joint(self.sizes(rows).flatten(), 0).item()

    def sizes(self, rows: Tensor) -> Tensor:
        """Return log ‖row‖ without lifts of each row, (B, R); the rows are in the band."""
        log = vector_norm(rows, dim=-1).double().log() + self._log
        return log if log.dim() == 2 else log.unsqueeze(0)

    def undo(self, of_TBRN: Tensor, start: int) -> Tensor:
        """Remove the lifts, in place, from results of the rows at the slots after ``start``."""
        for t, inverse in self._inverses:
            of_TBRN[: t - start] *= inverse
        if self._inverses:
            torch.hardshrink(of_TBRN, band(of_TBRN.dtype).tiny, out=of_TBRN)
        return of_TBRN


def lift(rows: Tensor, axes: int) -> Tensor | None:
    """Scale each slice along the last ``axes`` axes into the band, in place; return the exponents.

    None if nothing had to be scaled. What is zero, inf or NaN stays so.
    """
    low, middle, high, reach, _ = band(rows.dtype)
    if axes == 2 and rows.dim() == 2:
        least = most = vector_norm(rows).item()
    else:
        least, most = (bound.item() for bound in torch.aminmax(rows.abs().amax(_last(axes))))
    if low <= least and most <= high:
        return None
    largest = rows.abs().amax(_last(axes), keepdim=True)
    outside = ((largest > 0) & (largest < low)) | ((largest > high) & largest.isfinite())
    exponent = (middle - torch.frexp(largest).exponent).clamp(-reach, reach)
    exponent = torch.where(outside, exponent, 0).to(rows.dtype)
    if not exponent.any():
        return None
    rows *= torch.exp2(exponent)
    return exponent


def joint(log: Tensor, dim: int) -> Tensor:
    """Return the log of the 2-norm of norms whose logs are given."""
    return torch.logsumexp(2 * log, dim) / 2


def log_norm(v: Tensor) -> float:
    """Return log ‖v‖ whatever v's scale: -inf of zeros, NaN of NaN."""
    size, (low, _, high, _, _) = vector_norm(v).item(), band(v.dtype)
    return _log(size if low <= size <= high else norm(v).item())


def _log(size: float) -> float:
    """Return the logarithm, of 0 and NaN too."""
    return math.log(size) if size > 0 else size - math.inf


def _last(axes: int) -> tuple[int, ...]:
    """Name so many axes from the last on."""
    return tuple(range(-axes, 0))
