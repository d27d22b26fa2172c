"""Example: which of two symbols was read last; your machine here.

    on' = σ(on + set - reset)

A flip-flop, and a finite automaton: its states are 0 and 1, and no type of number loses them.

References:
    Minsky (1967), Computation: finite and infinite machines, chapter 3.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np

from lightning_modules.machines._machine import Machine, Unit
from lightning_modules.machines._numbers import Number


@final
class Example(Machine):
    """A unit that keeps what it was last told."""

    def __init__(self):
        """Build its unit; the weights are rationals."""
        super().__init__(("set", "reset"), {"on": Unit(0, {"set": 1, "reset": -1, "on": 1})}, {})

    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return random symbols."""
        return [("set", "reset")[i] for i in random.integers(0, 2, depth)]

    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Ask for the word's last symbol, and for it again after a reset."""
        yield [], int(word[-1] == "set")
        yield ["reset"], 0

    def answer(self, states: Mapping[str, Any]) -> int:
        """Return 1 where it is on."""
        return int(states["on"])

    def reach(self, word: Sequence[str], number: Number) -> None:
        """Return None: nothing is ever lost."""
