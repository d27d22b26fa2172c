"""The contract of ways to ln Z, and a path of distributions from a machine without weights to one.

    p*_β(v) = exp(-base(v) + (1 - β) a'v + β b'v) Π_j (1 + exp(β (c + W'v)_j))        0 ≤ β ≤ 1

At β = 0 it is a machine without weights whose units have the data's own means, at field a: binary
ones the data's log-odds. ln Z_0 = log_sum(a) + H ln 2. At β = 1 it is the network itself.

References:
    Salakhutdinov & Murray (2008), On the quantitative analysis of deep belief networks, ICML.
"""

import abc
import math
from typing import NamedTuple, final

import torch
from torch import Tensor
from torch.nn.functional import softplus

from lightning_modules.energies._energy import drawn
from lightning_modules.energies.rbm import RBM


class Summed(NamedTuple):
    """ln Z and its error."""

    log_Z: float
    error: float
    """The standard error of ln Z over chains, by the spread of their weights; 0 where exact."""


class Partition(abc.ABC):
    """A way to ln Z."""

    @abc.abstractmethod
    def sum(self, net: RBM, v_NV: Tensor) -> Summed:
        """Return ln Z of a network; ``v_NV``, its training data, may set where a path starts."""


@final
class Path:
    """The distributions of the path, and steps of chains along it."""

    def __init__(self, net: RBM, v_NV: Tensor):
        """Start from machines of the means of ``v_NV``."""
        self.net = net
        self.a_V = net.units.field(v_NV.mean(dim=0))
        self.log_Z0 = float(
            net.units.log_sum(self.a_V[None].double()) + net.hidden_size * math.log(2)
        )

    def start(self, chains: int) -> Tensor:
        """Return states at β = 0, (C, V), drawn independently."""
        return self.net.units.draw(self.a_V.repeat(chains, 1))

    def rise(self, v_CV: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
        """Return ln p*_high - ln p*_low of states, (C,) in float64, and their z, (C, H)."""
        z_CH = torch.addmm(self.net.c, v_CV, self.net.W)
        above_C = (softplus(high * z_CH) - softplus(low * z_CH)).sum(dim=1, dtype=torch.float64)
        return above_C + (high - low) * (v_CV @ (self.net.b - self.a_V)), z_CH

    def step(self, z_CH: Tensor, beta: float) -> Tensor:
        """Return states after a sweep at β, given their z."""
        h_CH = drawn((beta * z_CH).sigmoid_())
        field_V = torch.lerp(self.a_V, self.net.b, beta)
        return self.net.units.draw(torch.addmm(field_V, h_CH, self.net.W.t(), alpha=beta))


def mean_of(log_weights_C: Tensor) -> tuple[float, float]:
    """Return the logarithm of the mean weight, and its standard error."""
    log_mean = float(log_weights_C.logsumexp(dim=0)) - math.log(len(log_weights_C))
    relative_C = (log_weights_C - log_mean).exp()
    return log_mean, float(relative_C.std() / len(relative_C) ** 0.5)
