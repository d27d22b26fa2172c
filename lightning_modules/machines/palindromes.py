"""Palindromes w m w^R, a word of 0 and 1, a mark, and the word reversed, by a Cantor stack.

    push d:  s' = s / 4 + (2 d + 1) / 4         d in {0, 1}: the digits 1 and 3 of base 4
    pop d:   s' = 4 s - (2 d + 1)
    empty: s = 0        0 on top: 1/4 ≤ s < 1/2        1 on top: 3/4 ≤ s < 1

No s lies between these ranges, so the continuous σ(4 s - 2) is exactly the bit on top. Before the
mark each bit read is pushed. After the mark the bit read is popped as if it were on top; if it is
not, the word is marked as wrong for good (the unit "spoilt"). Ten units, one step a symbol.

A stack of n base-4 digits needs 2 n binary digits if the top digit is a 3, and 2 n - 1 if it is a
1: from its first 1 down to 4^-n. Float64 holds 26, or 27 if the 27th bit is a 0; float32 holds 12.

References:
    Siegelmann & Sontag (1995), On the computational power of neural nets, Journal of Computer and
        System Sciences 50(1), section 3.2.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, final

import numpy as np

from lightning_modules.machines._cantor import digits_kept
from lightning_modules.machines._machine import Machine, Unit
from lightning_modules.machines._numbers import Number

QUARTER = Fraction(1, 4)
STACK = ("pushed", "kept", "popped")
"""Units of which at each step one holds the stack; the others are 0."""
FAULTS = ("1 on top of a 0", "0 or nothing for a 1", "nothing for a 0", "second mark")


def _stack(weight: Fraction | int) -> dict[str, Fraction | int]:
    return dict.fromkeys(STACK, weight)


UNITS = {
    "behind": Unit(0, {"behind": 1, "mark": 1}),
    "pushed": Unit(-1, {"behind": -1, "0": 5 * QUARTER, "1": 7 * QUARTER, **_stack(QUARTER)}),
    "kept": Unit(-1, {"mark": 1, **_stack(1)}),
    "popped": Unit(-8, {"behind": 4, "0": 3, "1": 1, **_stack(4)}),
    "1 on top of a 0": Unit(-8, {"behind": 4, "0": 2, **_stack(4)}),
    "0 or nothing for a 1": Unit(-5, {"behind": 4, "1": 4, **_stack(-4)}),
    "nothing for a 0": Unit(-4, {"behind": 4, "0": 1, **_stack(-4)}),
    "second mark": Unit(-1, {"behind": 1, "mark": 1}),
    "spoilt": Unit(0, {"spoilt": 1, **dict.fromkeys(FAULTS, 1)}),
    "accept": Unit(
        -1, {"end": 1, "behind": 1, "spoilt": -1, **dict.fromkeys(FAULTS, -1), **_stack(-4)}
    ),
}


@final
class Palindromes(Machine):
    """Tells whether what was read before "end" is a word, a mark and the word reversed."""

    def __init__(self):
        """Build its ten units."""
        super().__init__(("0", "1", "mark", "end"), UNITS, {})

    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return random bits."""
        return [str(bit) for bit in random.integers(0, 2, depth)]

    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Ask about the reversed word: right, last or first wrong, one too few, one too many."""
        back = list(reversed(word))
        yield ["mark", *back, "end"], 1
        yield ["mark", *back[:-1], _other(back[-1]), "end"], 0
        yield ["mark", _other(back[0]), *back[1:], "end"], 0
        yield ["mark", *back[:-1], "end"], 0
        yield ["mark", *back, back[-1], "end"], 0

    def answer(self, states: Mapping[str, Any]) -> int:
        """Return 1 if it accepts, else 0."""
        return int(states["accept"] == 1)

    def reach(self, word: Sequence[str], number: Number) -> int | None:
        """Return the largest n for which the word's first n symbols fit the number's digits."""
        return digits_kept([int(symbol) for symbol in word], number)


def _other(symbol: str) -> str:
    return "1" if symbol == "0" else "0"
