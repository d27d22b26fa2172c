"""The contracts of symmetric networks, and of what estimates the gradient of their likelihood.

Letters beside those of interfaces.py:
    N samples or states   V visible units   H hidden units   S all units, the visible ones first
    C chains   K classes

A network gives every state an energy, updates its units, and learns: ``learn`` returns a gradient,
which any optimizer can descend. For a network that gives states probabilities,

    p(s) = exp(-E(s)) / Z        F(v) = -ln Σ_h exp(-E(v, h))        p(v) = exp(-F(v)) / Z

the gradient of -ln p, averaged over data, has two phases, ⟨∂F/∂θ⟩_data - ⟨∂F/∂θ⟩_model. The first
is easy to compute; estimators differ in how they find the second.
"""

import abc
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Learned(NamedTuple):
    """What a network returns for a batch."""

    gradient: Sequence[Tensor]
    """The gradient to descend, tensor by tensor in the order of ``parameters()``."""
    memory: Any = None
    """What the next batch continues from: tensors and plain data, which go into checkpoints."""
    chain_CV: Tensor | None = None
    """The visible units of the samples of the model; None where it was not sampled."""
    h_BH: Tensor | None = None
    """The means of the batch's hidden units, where they were computed anyway."""


class Energy(nn.Module, abc.ABC):
    """A symmetric network.

    Attributes:
        input_size, output_size: I and O, of inputs and of outputs that are compared with targets.
        state_size: S, all units.
    """

    input_size: int
    output_size: int
    state_size: int

    @abc.abstractmethod
    def energy(self, s_NS: Tensor) -> Tensor:
        """Return the energy of each state, (N,)."""

    @abc.abstractmethod
    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states after every unit was updated once, in new tensors."""

    @abc.abstractmethod
    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return a batch's gradient; targets are 0 and 1 for classes, or values.

        ``memory`` is that of the batch before, None at the start. The weights stay as they are.
        """

    @abc.abstractmethod
    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return what is compared with targets, (N, O): scores of classes, or the input again."""


class Distribution(Energy, abc.ABC):
    """A network that gives its states probabilities."""

    def seen(self, x_NI: Tensor, t_NO: Tensor) -> Tensor:
        """Return the visible units, (N, V), for inputs and targets; by default the inputs alone."""
        del t_NO
        return x_NI

    @abc.abstractmethod
    def free_energy(self, v_NV: Tensor) -> Tensor:
        """Return F, (N,)."""

    @abc.abstractmethod
    def log_partition(self) -> Tensor:
        """Return ln Z, summed over states in float64; ValueError where there are too many."""

    @abc.abstractmethod
    def slopes(self, v_NV: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return Σ_n weight_n ∂F/∂θ at each v, in the order of ``parameters()``."""

    @abc.abstractmethod
    def expected_slopes(self) -> list[Tensor]:
        """Return ⟨∂F/∂θ⟩ over the model's own states; ValueError where there are too many."""

    def log_probability(self, v_NV: Tensor) -> Tensor:
        """Return ln p of each v, (N,), in float64: exact; ValueError where there are too many."""
        return -self.free_energy(v_NV).double() - self.log_partition()


class Bipartite(Distribution, abc.ABC):
    """One whose hidden units are independent given the visible ones, and the other way round."""

    @abc.abstractmethod
    def hidden(self, v_NV: Tensor) -> Tensor:
        """Return the means of the hidden units given visible ones, (N, H)."""

    @abc.abstractmethod
    def sampled(self, h_NH: Tensor) -> Tensor:
        """Sample hidden units of these means, and return a sample of visible units given them."""

    @abc.abstractmethod
    def slopes_at(self, v_NV: Tensor, h_NH: Tensor, weight_N: Tensor) -> list[Tensor]:
        """Return ``slopes``, given the means of the hidden units."""


class Estimator(abc.ABC):
    """A way to the gradient of -ln p, averaged over a batch."""

    @abc.abstractmethod
    def estimate(self, energy: Distribution, v_BV: Tensor, memory: Any = None) -> Learned:
        """Return that gradient; TypeError for a network that the estimator cannot take."""


def halves(v_BV: Tensor, chains: int) -> Tensor:
    """Return weights of a batch and of chains whose weighted sum is a difference of means."""
    weight_N = v_BV.new_full((len(v_BV) + chains,), 1 / len(v_BV))
    weight_N[len(v_BV) :] = -1 / chains
    return weight_N


def bipartite(energy: Distribution, who: str) -> Bipartite:
    """Return the network; TypeError where it is not bipartite."""
    if not isinstance(energy, Bipartite):
        raise TypeError(f"{who} takes an RBM, not {type(energy).__name__}: use exact or annealed")
    return energy


def drawn(p_NU: Tensor) -> Tensor:
    """Return units that are 1 with these probabilities, else 0."""
    return torch.rand_like(p_NU).lt_(p_NU)
