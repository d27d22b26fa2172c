"""Binary digits shifted into one fraction: s' = (s + u) / 2. One unit.

After the bits u_1 … u_n, s = Σ u_k 2^-(n-k+1): the last is on top. What a float of p digits keeps
depends on them: all, as long as it is no more than p digits from the first 1 to the last. Zeros
before the first 1 and behind the last cost nothing.

The other machines keep their digits apart from each other: no s lies between the digits 0 and 1 on
top. Here 0.0111… and 0.1000… meet, and no continuous unit tells the digit on top; so this one is
asked nothing.

References:
    Siegelmann & Sontag (1995), On the computational power of neural nets, Journal of Computer and
        System Sciences 50(1), section 3.2: why base 4 and the digits 1 and 3.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, final

import numpy as np

from lightning_modules.machines._machine import Machine, Unit
from lightning_modules.machines._numbers import Number

HALF = Fraction(1, 2)
UNITS = {"digits": Unit(0, {"1": HALF, "digits": HALF})}


@final
class BinaryDigits(Machine):
    """Keeps the 0s and 1s that it read."""

    def __init__(self):
        """Build its one unit."""
        super().__init__(("0", "1"), UNITS, {})

    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return random bits."""
        return [str(bit) for bit in random.integers(0, 2, depth)]

    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Ask nothing."""
        yield from ()

    def answer(self, states: Mapping[str, Any]) -> int:
        """Return whether the digit on top is a 1, in exact numbers."""
        return int(states["digits"] >= 0.5)

    def reach(self, word: Sequence[str], number: Number) -> int | None:
        """Return the first n of which as many digits as the number has do not hold all 1s."""
        if number.digits is None or number.least is None:
            return None
        ones = [n for n, bit in enumerate(word) if bit == "1"]
        for n in range(ones[0] if ones else len(word), len(word)):
            wide = word[n] == "1" and n - ones[0] >= number.digits
            if wide or n - ones[0] >= number.least:
                return n
        return None
