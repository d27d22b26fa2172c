"""a^n b^n, n ≥ 1, by a stack of n ones in one fraction: s = 1 - 2^-n.

    a: s' = s / 2 + 1 / 2        b: s' = 2 s - 1        empty: s = 0, otherwise s ≥ 1/2

s is the sum of two units, one for each symbol; the one whose symbol was not read is 0. A b on an
empty stack, or an a after a b, marks the word as wrong for good (the unit "spoilt"). Seven units,
one step a symbol.

s needs n binary digits, so a float of p digits counts up to p. One more a rounds s to 1, and no
number of b ever changes that 1.

References:
    Siegelmann & Sontag (1995), On the computational power of neural nets, Journal of Computer and
        System Sciences 50(1).
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, final

import numpy as np

from lightning_modules.machines._anbn import accepts, asked
from lightning_modules.machines._machine import Machine, Unit
from lightning_modules.machines._numbers import Number

HALF = Fraction(1, 2)
UNITS = {
    "after a": Unit(-1, {"a": 3 * HALF, "after a": HALF, "after b": HALF}),
    "after b": Unit(-2, {"b": 1, "after a": 2, "after b": 2}),
    "b seen": Unit(0, {"b seen": 1, "b": 1}),
    "too many b": Unit(0, {"b": 1, "after a": -2, "after b": -2}),
    "a behind b": Unit(-1, {"a": 1, "b seen": 1}),
    "spoilt": Unit(0, {"spoilt": 1, "too many b": 1, "a behind b": 1}),
    "accept": Unit(
        -1,
        {
            "end": 1,
            "b seen": 1,
            "spoilt": -1,
            "too many b": -1,
            "a behind b": -1,
            "after a": -2,
            "after b": -2,
        },
    ),
}


@final
class UnaryStack(Machine):
    """Tells whether a word of a and b, closed by an end, is a^n b^n."""

    def __init__(self):
        """Build its seven units."""
        super().__init__(("a", "b", "end"), UNITS, {})

    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return a^depth."""
        del random
        return ["a"] * depth

    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Ask about as many b, one too many, one too few, and an a after a b."""
        yield from asked(len(word))

    def answer(self, states: Mapping[str, Any]) -> int:
        """Return 1 if it accepts, else 0."""
        return accepts(states)

    def reach(self, word: Sequence[str], number: Number) -> int | None:
        """Return the number's count of binary digits."""
        return number.digits
