"""a^n b^n, n ≥ 1, by a counter that halves: c = 2^-n.

    a: c' = c / 2        b: c' = 2 c        empty: c = 1, otherwise c ≤ 1/2

Works as ``unary_stack.py`` does, except that the counter starts at 1. Any c has one binary digit,
so a float's exponent is the limit, not its digits. The least positive number of float64 is 2^-1074;
half of it is rounded to 0, and doubling 0 never leads back to 1.

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
    "after a": Unit(-1, {"a": 1, "after a": HALF, "after b": HALF}),
    "after b": Unit(-2, {"b": 2, "after a": 2, "after b": 2}),
    "b seen": Unit(0, {"b seen": 1, "b": 1}),
    "too many b": Unit(-2, {"b": 1, "after a": 2, "after b": 2}),
    "a behind b": Unit(-1, {"a": 1, "b seen": 1}),
    "spoilt": Unit(0, {"spoilt": 1, "too many b": 1, "a behind b": 1}),
    "accept": Unit(
        -3,
        {
            "end": 1,
            "b seen": 1,
            "spoilt": -1,
            "too many b": -1,
            "a behind b": -1,
            "after a": 2,
            "after b": 2,
        },
    ),
}


@final
class HalvingCounter(Machine):
    """Tells whether a word of a and b, closed by an end, is a^n b^n."""

    def __init__(self):
        """Build its seven units."""
        super().__init__(("a", "b", "end"), UNITS, {"after a": 1})

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
        """Return the largest n for which the number can represent 2^-n."""
        return number.least
