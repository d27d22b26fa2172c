"""A contract: how a class of a kind is built, and the checks that it must pass."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch


class Check(NamedTuple):
    """A sentence, and a function that raises AssertionError if it does not hold."""

    says: str
    hold: Callable[[], object]


class Contract(NamedTuple):
    """What all methods of a kind must satisfy."""

    of: type
    """The class that they derive from."""
    sizes: Mapping[str, Any]
    """Arguments for their constructors, by name; a constructor gets those that it takes."""
    checks: Callable[[Callable[[], Any]], Iterator[Check]]
    """Function that builds a method -> its checks; each check builds a method of its own."""


def check(hold: Callable[..., object], *build: Callable[[], Any], on: str = "") -> Check:
    """Return the seeded check that ``hold`` makes; its sentence is ``hold``'s first docstring line.

    ``hold`` is called with what each ``build`` returns; ``on`` is added to the sentence.
    """
    says = (hold.__doc__ or hold.__name__).partition("\n")[0].rstrip(".")

    def held() -> None:
        torch.manual_seed(0)
        hold(*(each() for each in build))

    return Check(f"{says}{f', {on}' if on else ''}", held)
