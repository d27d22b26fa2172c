"""The contract of storage rules. Letters: S units, M patterns."""

import abc

from torch import Tensor


class Storage(abc.ABC):
    """A rule that adds patterns to weights."""

    @abc.abstractmethod
    def store(self, W_SS: Tensor, x_MS: Tensor, diagonal: bool) -> None:
        """Add patterns of -1 and 1 to symmetric weights, in place.

        ``diagonal`` says whether the network uses the weights' diagonal; rules fill it anyway,
        since some of them go on from it.
        """


def overlapping(W_SS: Tensor, diagonal: bool) -> Tensor:
    """Return the weights that the network uses."""
    return W_SS if diagonal else W_SS - W_SS.diag().diag()
