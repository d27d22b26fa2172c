"""Kinds of visible units: their distribution given their weighted sum z, and their part of -ln p.

    p(v | z) ∝ exp(-base(v) + v z)        log_sum = ln ∫ exp(-base(v) + v z) dv

    binary      v in {0, 1}       base 0         mean sigmoid(z)     log_sum softplus(z)
    gaussian    v a real number   base ½ v²      mean z, variance 1  log_sum ½ z² + ½ ln 2π
    classes     one of K is 1     base 0         mean softmax(z)     log_sum ln Σ exp(z)

Gaussian ones are for data of unit variance, pixel by pixel.

References:
    Welling, Rosen-Zvi & Hinton (2005), Exponential family harmoniums, NeurIPS 17.
"""

import abc
import math
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import one_hot, softplus

from lightning_modules.energies._energy import drawn
from lightning_modules.registry import UnknownNameError, nearest


class Units(abc.ABC):
    """A kind of visible unit."""

    @abc.abstractmethod
    def base(self, v_NV: Tensor) -> Tensor:
        """Return the sum of the units' bases for each state, (N,)."""

    @abc.abstractmethod
    def mean(self, z_NV: Tensor) -> Tensor:
        """Return the means."""

    @abc.abstractmethod
    def draw(self, z_NV: Tensor) -> Tensor:
        """Return a sample; z may be overwritten."""

    @abc.abstractmethod
    def log_sum(self, z_NV: Tensor) -> Tensor:
        """Return the sum of log_sum, (N,)."""

    @abc.abstractmethod
    def field(self, mean_V: Tensor) -> Tensor:
        """Return the z that gives these means; bounded, too, for units that never vary in data."""


@final
class Binary(Units):
    """0 or 1."""

    def base(self, v_NV: Tensor) -> Tensor:
        """Return zeros."""
        return v_NV.new_zeros(len(v_NV))

    def mean(self, z_NV: Tensor) -> Tensor:
        """Return sigmoid(z)."""
        return z_NV.sigmoid()

    def draw(self, z_NV: Tensor) -> Tensor:
        """Return 1 with that probability."""
        return drawn(z_NV.sigmoid_())

    def log_sum(self, z_NV: Tensor) -> Tensor:
        """Return the sum of softplus(z)."""
        return softplus(z_NV).sum(dim=1)

    def field(self, mean_V: Tensor) -> Tensor:
        """Return the log-odds, of means within a thousandth of 0 and 1."""
        return mean_V.clamp(1e-3, 1 - 1e-3).logit()


@final
class Gaussian(Units):
    """A real number around z, of variance 1."""

    def base(self, v_NV: Tensor) -> Tensor:
        """Return the sum of ½ v²."""
        return v_NV.square().sum(dim=1) / 2

    def mean(self, z_NV: Tensor) -> Tensor:
        """Return z."""
        return z_NV

    def draw(self, z_NV: Tensor) -> Tensor:
        """Return z and noise."""
        return z_NV + torch.randn_like(z_NV)

    def log_sum(self, z_NV: Tensor) -> Tensor:
        """Return the sum of ½ z² + ½ ln 2π."""
        return (z_NV.square().sum(dim=1) + z_NV.shape[1] * math.log(2 * math.pi)) / 2

    def field(self, mean_V: Tensor) -> Tensor:
        """Return the means."""
        return mean_V


@final
class Classed(Units):
    """Units of another kind followed by K units for the class, one of which is 1."""

    def __init__(self, inner: Units, classes: int):
        """Put ``classes`` behind."""
        self._inner, self._classes = inner, classes

    def _cut(self, v_NV: Tensor) -> tuple[Tensor, Tensor]:
        return v_NV[..., : -self._classes], v_NV[..., -self._classes :]

    def base(self, v_NV: Tensor) -> Tensor:
        """Return that of the others."""
        return self._inner.base(self._cut(v_NV)[0])

    def mean(self, z_NV: Tensor) -> Tensor:
        """Return the others' means, and the softmax."""
        z_NI, z_NK = self._cut(z_NV)
        return torch.cat([self._inner.mean(z_NI), z_NK.softmax(dim=1)], dim=1)

    def draw(self, z_NV: Tensor) -> Tensor:
        """Return a sample of the others, and a class."""
        z_NI, z_NK = self._cut(z_NV)
        class_N = torch.multinomial(z_NK.softmax(dim=1), 1).squeeze(1)
        hot_NK = one_hot(class_N, self._classes).to(z_NV.dtype)
        return torch.cat([self._inner.draw(z_NI), hot_NK], dim=1)

    def log_sum(self, z_NV: Tensor) -> Tensor:
        """Return that of the others, and ln Σ exp(z) of the classes."""
        z_NI, z_NK = self._cut(z_NV)
        return self._inner.log_sum(z_NI) + z_NK.logsumexp(dim=1)

    def field(self, mean_V: Tensor) -> Tensor:
        """Return the others', and the logarithms of the classes' shares."""
        mean_I, mean_K = self._cut(mean_V)
        return torch.cat([self._inner.field(mean_I), mean_K.clamp(min=1e-3).log()])


UNITS: dict[str, Units] = {"binary": Binary(), "gaussian": Gaussian()}


def units_named(name: str) -> Units:
    """Return the units of that name; UnknownNameError if there are none."""
    if name not in UNITS:
        raise UnknownNameError(f"{name!r} is not one of the units: {nearest(name, UNITS)}")
    return UNITS[name]
