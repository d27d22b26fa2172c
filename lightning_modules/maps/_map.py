"""What maps share: one unit wins for each input, and learning moves the winner towards it.

Letters beside those of ``interfaces.py``:
    N examples   M units of a map, or categories   K those that are committed   D axes of a plane

Weights move in place, by a rule of each map's own, in the order of the examples. Ties go to the
unit of the lowest index.
"""

import abc
from typing import NamedTuple

from torch import Tensor, nn


class Seen(NamedTuple):
    """What a map saw of some examples, each by the weights of its own moment."""

    examples: int = 0
    changes: int = 0
    """Examples that moved a weight."""
    loss: float = 0.0
    """What winners leave of the examples, summed: see the map's ``loss``."""


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
        """Go through the examples in order; ``y_N`` are classes, which most maps leave unread.

        ValueError for examples that the map does not take.
        """

    @abc.abstractmethod
    def loss(self, x_NI: Tensor) -> Tensor:
        """Return what the winner leaves of each input, (N,): 0 where it is the input."""

    @abc.abstractmethod
    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return what is to be told of the map, or of how it fits inputs: scalars, by name."""

    def classes(self, x_NI: Tensor) -> Tensor | None:
        """Return the class of each input, (N,); None of a map that learned without classes."""
        del x_NI

    def begin(self) -> None:
        """Start anew what is counted in passes; weights stay."""


def rest(w_MI: Tensor) -> nn.Parameter:
    """Return weights that no gradient moves."""
    return nn.Parameter(w_MI, requires_grad=False)


def fitting(x_NI: Tensor, inputs: int) -> Tensor:
    """Return the inputs; ValueError where they are not (N, ``inputs``)."""
    if x_NI.dim() != 2 or x_NI.shape[1] != inputs:
        raise ValueError(f"x is {(*x_NI.shape,)}: this map takes (N, {inputs})")
    return x_NI
