"""Codes of a map's inputs: complement coding within the training data's bounds, or bits.

    a = (x - low) / (high - low), cut to [0, 1]        I = (a, 1 - a)
    I = 1 where x > threshold, else 0

The bounds are those of the training data; later inputs beyond them are cut to the bounds. An input
that never varies in training has a = 0.
"""

import abc
from typing import final

import torch
from torch import Tensor

from lightning_modules.checks import above
from lightning_modules.maps._map import Map, Seen, fitting


class Outer(Map, abc.ABC):
    """A map around another one, which sees a code of the inputs.

    Attributes:
        inner: the map that sees the code.
    """

    def __init__(self, inner: Map):
        """Wrap ``inner``."""
        super().__init__()
        self.inner = inner

    @abc.abstractmethod
    def code(self, x_NI: Tensor) -> Tensor:
        """Return the code of the inputs, (N, inputs of the inner map)."""

    @property
    def w_MI(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride] # noqa: N802
        """The weights of the inner map."""
        return self.inner.w_MI

    def winner(self, x_NI: Tensor) -> Tensor:
        """Return the inner map's winners, (N,)."""
        return self.inner.winner(self.code(x_NI))

    def learn(self, x_NI: Tensor, y_N: Tensor | None = None) -> Seen:
        """Let the inner map learn."""
        return self.inner.learn(self.code(x_NI), y_N)

    def loss(self, x_NI: Tensor) -> Tensor:
        """Return the inner map's loss, (N,)."""
        return self.inner.loss(self.code(x_NI))

    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return the inner map's facts."""
        return self.inner.facts(self.code(x_NI))

    def classes(self, x_NI: Tensor) -> Tensor | None:
        """Return the inner map's classes, (N,); None where it knows none."""
        return self.inner.classes(self.code(x_NI))

    def begin(self) -> None:
        """Reset the inner map's count of passes."""
        self.inner.begin()


@final
class Coded(Outer):
    """A map of complement-coded inputs, twice as many numbers.

    Attributes:
        low_I, high_I: the bounds.
    """

    low_I: Tensor
    high_I: Tensor

    def __init__(self, inner: Map, low_I: Tensor, high_I: Tensor):
        """Scale by these bounds; ValueError where a low one is above its high one."""
        super().__init__(inner)
        if low_I.shape != high_I.shape or low_I.dim() != 1 or bool((low_I > high_I).any()):
            raise ValueError("bounds are one low and one high for each input, low not above high")
        self.register_buffer("low_I", low_I)
        self.register_buffer("high_I", high_I)

    @classmethod
    def by(cls, inner: Map, train_NI: Tensor) -> "Coded":
        """Return the map with the bounds of its training data."""
        return cls(inner, train_NI.amin(0), train_NI.amax(0))

    def code(self, x_NI: Tensor) -> Tensor:
        """Return (a, 1 - a), (N, 2 I)."""
        span_I = self.high_I - self.low_I
        a_NI = (fitting(x_NI, len(span_I)) - self.low_I) / span_I.where(span_I > 0, torch.inf)
        a_NI = a_NI.clamp(0, 1)
        return torch.cat([a_NI, 1 - a_NI], dim=1)


@final
class Bits(Outer):
    """A map that sees a 1 where an input is above a threshold."""

    def __init__(self, inner: Map, threshold: float):
        """``threshold`` is the largest input that gives a 0."""
        super().__init__(inner)
        above(-torch.inf, threshold=threshold)
        self.threshold = threshold

    def code(self, x_NI: Tensor) -> Tensor:
        """Return zeros and ones, (N, I)."""
        return (x_NI > self.threshold).to(x_NI.dtype)
