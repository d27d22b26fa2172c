"""Rows on their way back, kept amid their type by powers of two, which round nothing.

    slot t holds  2^k v_t        k so chosen, for each row, that its largest entry is in the band

Nothing is lost that is a normal number of the type, however small the credit or however far it
fades; and sums of squares of what is in the band are numbers of the type too. What is subnormal
although its row is lifted is set to zero, since a processor takes a hundred times as long over it.
On a GPU, which does not, rows stay as they are: an answer about their size would be awaited.
"""

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.linalg import vector_norm

from lightning_modules.norms import norm


class Band(NamedTuple):
    """Where the largest entry of a row lies, or is put."""

    low: float
    middle: int
    """An exponent of two."""
    high: float
    reach: int
    """The largest k of which 2^k and 2^-k are both normal."""
    tiny: float
    """2^-reach, the least normal number."""


@functools.cache
def band(dtype: torch.dtype) -> Band:
    """Return that of the type: in float32 from 2^-42 to 2^54, what leaves it becoming 2^42."""
    tiny = torch.finfo(dtype).tiny
    reach = 1 - math.frexp(tiny)[1]
    return Band(2.0 ** -(reach // 3), reach // 3, 2.0 ** (reach * 3 // 7), reach, tiny)


class Lifts:
    """By what the rows of one way back were lifted, and where.

    Attributes:
        size: log ‖rows‖ at the slot that was asked for last, as they are without lifts.
    """

    def __init__(self):
        self._inverses: list[tuple[int, Tensor]] = []
        self._log: Tensor | float = 0.0
        self.size = math.nan

    def keep(self, rows: Tensor, t: int, asked: bool) -> None:
        """Keep rows at slot t, and with them all below, in the band; tell their size if asked."""
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
        """Return log ‖row‖ of each row that is in the band, as it is without lifts, (B, R)."""
        log = vector_norm(rows, dim=-1).double().log() + self._log
        return log if log.dim() == 2 else log.unsqueeze(0)

    def undo(self, of_TBRN: Tensor, start: int) -> Tensor:
        """Return what came of the rows at the slots after ``start``, without lifts, in place."""
        for t, inverse in self._inverses:
            of_TBRN[: t - start] *= inverse
        if self._inverses:
            torch.hardshrink(of_TBRN, band(of_TBRN.dtype).tiny, out=of_TBRN)
        return of_TBRN


def lift(rows: Tensor, axes: int) -> Tensor | None:
    """Bring what lies along the last ``axes`` into the band, in place; return the exponents.

    None stands for zeros. What is zero, inf or NaN stays so.
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
