"""Binary digits shifted into one fraction: s' = (s + u) / 2. One unit.

After the bits u_1 … u_n, s = Σ u_k 2^-(n-k+1): the last bit is the first binary digit, the top of
the stack. A float of p digits holds all bits as long as the first 1 and the last 1 read are no more
than p digits apart, both counted. Zeros read before the first 1 or after the last need no digits.

In a Cantor stack (``palindromes.py``) the s with a 0 on top and those with a 1 on top are separated
by a gap. Here there is no gap between 0.0111… and 0.1000…, so no continuous unit can read the top
digit. This machine is therefore asked no questions.

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
    """Stores the 0s and 1s that it reads."""

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
        """Return the digit on top, 0 or 1; certain only in exact numbers."""
        return int(states["digits"] >= 0.5)

    def reach(self, word: Sequence[str], number: Number) -> int | None:
        """Return how many bits the number holds before its digits or its range lose a 1."""
        if number.digits is None or number.least is None:
            return None
        ones = [n for n, bit in enumerate(word) if bit == "1"]
        for n in range(ones[0] if ones else len(word), len(word)):
            wide = word[n] == "1" and n - ones[0] >= number.digits
            if wide or n - ones[0] >= number.least:
                return n
        return None
