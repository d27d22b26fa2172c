"""Parity: whether a 1 was read an odd number of times. Two units, one step a symbol.

    either' = σ(p + u)        both' = σ(p + u - 1)        p = either - both

u is 1 where a 1 is read. With p and u in {0, 1}, either' - both' is their exclusive or. It is a
finite automaton whose states are 0 and 1, which every type of number holds exactly.

References:
    Minsky (1967), Computation: finite and infinite machines, chapter 3.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np

from lightning_modules.machines._machine import Machine, Unit
from lightning_modules.machines._numbers import Number

UNITS = {
    "either": Unit(0, {"1": 1, "either": 1, "both": -1}),
    "both": Unit(-1, {"1": 1, "either": 1, "both": -1}),
}


@final
class Parity(Machine):
    """The parity of the 1s among 0s and 1s."""

    def __init__(self):
        """Build its two units."""
        super().__init__(("0", "1"), UNITS, {})

    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return random bits."""
        return [str(bit) for bit in random.integers(0, 2, depth)]

    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Ask for the parity of the word, and of the word with one more 1."""
        yield [], word.count("1") % 2
        yield ["1"], (word.count("1") + 1) % 2

    def answer(self, states: Mapping[str, Any]) -> int:
        """Return the parity."""
        return int(states["either"] - states["both"])

    def reach(self, word: Sequence[str], number: Number) -> None:
        """Return None: there is no limit."""
