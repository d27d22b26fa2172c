"""Means over the measurements that are defined, kept as float64 sums that do not overflow.

A measurement that is NaN is undefined, such as the direction of an update that moved nothing: it is
left out and not counted. Values above 2^960 are summed apart, times 2^-64, so that no sum of finite
numbers overflows on the way to their mean; other sums are bit for bit the plain ones.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

FAR, NEARER = 2.0**960, 2.0**-64


class Sums(NamedTuple):
    """Sums over measurements of one shape, in float64."""

    total: Tensor
    far: Tensor
    """The sum of values beyond ``FAR``, times ``NEARER``."""
    defined: Tensor
    """How many measurements were defined."""
    taken: Tensor
    """How many there were, defined or not."""

    @classmethod
    def of(cls, values: Tensor) -> "Sums":
        """Sum measurements over the first axis."""
        values = values.double()
        if values.is_cpu and values.numel():  # one test for the usual case: no NaN, nothing far
            least, largest = torch.aminmax(values)
            if float(least) >= -FAR and float(largest) <= FAR:
                total = values.sum(0)
                taken = torch.full_like(total, len(values), dtype=torch.long)
                return cls(total, torch.zeros_like(total), taken, taken)
        defined, far = ~values.isnan(), values.abs() > FAR
        near = values.where(defined & ~far, 0).sum(0)
        return cls(
            near,
            (values * NEARER).where(far, 0).sum(0),
            defined.sum(0),
            torch.full_like(near, len(values), dtype=torch.long),
        )

    def to(self, device: torch.device | str) -> "Sums":
        """Return them on the device."""
        return Sums(*(part.to(device) for part in self))

    def plus(self, more: "Sums") -> "Sums":
        """Return the sums over both; these may lie on another device."""
        pairs = zip(self.to(more.total.device), more, strict=True)
        return Sums(*(mine + theirs for mine, theirs in pairs))

    @property
    def mean(self) -> Tensor:
        """The mean of the measurements that are defined; NaN where none is."""
        return self.total / self.defined + self.far / self.defined / NEARER


def joined(parts: Sequence[Sums]) -> Sums:
    """Return the sums over all; along the first axis some may be shorter than others."""
    if len(parts) == 1:
        return parts[0]
    longest = max((part.total for part in parts), key=len)
    whole = Sums(
        *(torch.zeros_like(longest) for _ in range(2)),
        *(torch.zeros_like(longest, dtype=torch.long) for _ in range(2)),
    )
    for part in parts:
        for into, more in zip(whole, part, strict=True):
            into[: len(part.total)] += more
    return whole
