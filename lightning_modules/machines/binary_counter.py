"""A binary counter: how often a 1 was read, modulo 2^k. Two units for each bit.

    either_i' = σ(p_i + c_i)    both_i' = σ(p_i + c_i - 1)    p_i = either_i - both_i
    c_0 = u                     c_i = both_(i-1)

u is 1 where a 1 is read. Bit i is the parity (see ``parity.py``) of the carries of the bit below,
which reach it one step later. So bit i belongs to the count of i steps ago, and after k silent
steps all bits show the same count. It is a finite automaton of 2^k counts; its units are 0 or 1,
which every type of number holds exactly.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np

from lightning_modules.checks import whole
from lightning_modules.machines._machine import SILENCE, Machine, Unit
from lightning_modules.machines._numbers import Number


@final
class BinaryCounter(Machine):
    """A ripple counter of ``bits`` bits."""

    def __init__(self, bits: int = 8):
        """``bits`` is k; the counter overflows from 2^bits - 1 to 0."""
        whole(1, bits=bits)
        units: dict[str, Unit] = {}
        for i in range(bits):
            carry = f"both{i - 1}" if i else "1"
            weights = {carry: 1, f"either{i}": 1, f"both{i}": -1}
            units |= {f"either{i}": Unit(0, weights), f"both{i}": Unit(-1, weights)}
        super().__init__(("0", "1"), units, {})
        self.bits = bits

    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return random bits."""
        return [str(bit) for bit in random.integers(0, 2, depth)]

    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Ask for the count once the carries have settled."""
        yield [SILENCE] * self.bits, word.count("1") % 2**self.bits

    def answer(self, states: Mapping[str, Any]) -> int:
        """Return the count."""
        return sum(2**i * int(states[f"either{i}"] - states[f"both{i}"]) for i in range(self.bits))

    def reach(self, word: Sequence[str], number: Number) -> None:
        """Return None: there is no limit."""
