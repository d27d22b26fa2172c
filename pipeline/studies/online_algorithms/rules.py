"""Algorithms as trials name them, built and called alike in every part."""

from typing import TYPE_CHECKING

from lightning_modules.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from lightning_modules.interfaces import Algorithm


def build(algorithm: str, horizon: int | None = None) -> "Algorithm":
    """Build an algorithm with what it takes; None leaves an argument at its default."""
    return ALGORITHMS[algorithm](**({} if horizon is None else {"horizon": horizon}))


def called(algorithm: str, horizon: int | None, stride: int | None = None) -> str:
    """Return what the rule is called: its name, and what it was built with in brackets."""
    given = [str(value) for value in (horizon, stride) if value is not None]
    return f"{algorithm}({', '.join(given)})" if given else algorithm


def claim(algorithm: str) -> str:
    """Return what the algorithm promises of its gradient, in one word."""
    return ALGORITHMS[algorithm].claim.name.lower()
