"""A contract: what is built of a class, and the checks that it is held to."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch


class Check(NamedTuple):
    """One sentence, and what raises AssertionError where it isn't so."""

    says: str
    hold: Callable[[], object]


class Contract(NamedTuple):
    """What methods of a kind are held to."""

    of: type
    """What they derive from."""
    sizes: Mapping[str, Any]
    """What their constructors are given, where they take something of that name."""
    checks: Callable[[Callable[[], Any]], Iterator[Check]]
    """Of what builds a method; each check builds its own."""


def check(hold: Callable[..., object], *build: Callable[[], Any], on: str = "") -> Check:
    """Return the check that a function makes, by its docstring's first line; seeded."""
    says = (hold.__doc__ or hold.__name__).partition("\n")[0].rstrip(".")

    def held() -> None:
        torch.manual_seed(0)
        hold(*(each() for each in build))

    return Check(f"{says}{f', {on}' if on else ''}", held)
