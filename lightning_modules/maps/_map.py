"""The contract of maps: one unit wins for each input, and learning moves it towards the input.

Letters beside those of ``interfaces.py``:
    N examples   M units of a map, or categories   K categories in use   D axes of a plane

Weights move in place, by a rule of each map's own, in the order of the examples. Ties go to the
unit of the lowest index.
"""

import abc
from typing import NamedTuple

from torch import Tensor, nn


class Seen(NamedTuple):
    """Counts over some examples, each taken with the weights at the time it was seen."""

    examples: int = 0
    changes: int = 0
    """Examples that moved a weight."""
    loss: float = 0.0
    """The sum of the map's ``loss`` over the examples."""


class Map(nn.Module, abc.ABC):
    """Units with a vector of weights each.

    Attributes:
        w_MI: the weights. They have no gradient.
    """

    w_MI: Tensor

    @abc.abstractmethod
    def winner(self, x_NI: Tensor) -> Tensor:
        """Return the number of the unit that wins for each input, (N,)."""

    @abc.abstractmethod
    def learn(self, x_NI: Tensor, y_N: Tensor | None = None) -> Seen:
        """Learn the examples in order; ``y_N`` are their classes, which most maps ignore.

        ValueError for examples that the map does not take.
        """

    @abc.abstractmethod
    def loss(self, x_NI: Tensor) -> Tensor:
        """Return how far each input is from its winner, (N,): 0 where they are equal."""

    @abc.abstractmethod
    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return scalars by name that describe the map, or how well it fits the inputs."""

    def classes(self, x_NI: Tensor) -> Tensor | None:
        """Return the class of each input, (N,); None for a map that knows no classes."""
        del x_NI

    def begin(self) -> None:
        """Reset the count of passes; weights stay."""


def rest(w_MI: Tensor) -> nn.Parameter:
    """Return the weights as a parameter without a gradient."""
    return nn.Parameter(w_MI, requires_grad=False)


def fitting(x_NI: Tensor, inputs: int) -> Tensor:
    """Return the inputs; ValueError where they are not (N, ``inputs``)."""
    if x_NI.dim() != 2 or x_NI.shape[1] != inputs:
        raise ValueError(f"x is {(*x_NI.shape,)}: this map takes (N, {inputs})")
    return x_NI
