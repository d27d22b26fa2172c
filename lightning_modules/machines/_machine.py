"""What computes without learning: saturated-linear units whose weights are rationals.

    s'_i = σ(b_i + Σ_k B_ik u_k + Σ_j A_ij s_j)        σ(x) = min(1, max(0, x))

u_k is 1 where symbol k is read, else 0, and all states start at 0, or where ``start`` says. Such
networks compute whatever a Turing machine does, a step of it in a constant number of theirs: a
state, a rational in [0, 1], can hold a stack without end. In floats it cannot, and where it ends
is the machine's ``reach``.

A sum is taken in the order in which a unit's weights are written, from b on. Where a stack comes
last, what gates it has added up to a whole number by then, so that the sum is rounded once.

References:
    Siegelmann & Sontag (1995), On the computational power of neural nets, Journal of Computer and
        System Sciences 50(1).
"""

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from lightning_modules.machines._numbers import Number
from lightning_modules.registry import nearest

SILENCE = ""
"""The symbol of a step at which nothing is read."""
Weights = Mapping[str, Fraction | int]
"""Of what a unit adds up, by the name of a symbol or of a unit, in order."""


class Unit(NamedTuple):
    """What one unit adds up."""

    bias: Fraction | int
    weights: Weights


class Machine(abc.ABC):
    """A network of fixed weights, which reads symbols and keeps what they were.

    Attributes:
        symbols: what it reads.
        units: its units, by name.
        start: the states that do not start at 0.
    """

    def __init__(self, symbols: Sequence[str], units: Mapping[str, Unit], start: Weights):
        """Take what the machine is made of."""
        self.symbols, self.units, self.start = symbols, units, start

    def run(self, read: Iterable[str], number: Number) -> Iterator[dict[str, Any]]:
        """Iterate over the states after each symbol, by the unit's name.

        ValueError for a symbol that it does not know.
        """
        of = number.of
        zero, one = of(Fraction(0)), of(Fraction(1))
        rows = {
            name: (of(Fraction(bias)), [(source, of(Fraction(w))) for source, w in weights.items()])
            for name, (bias, weights) in self.units.items()
        }
        states = {name: of(Fraction(self.start.get(name, 0))) for name in rows}
        for symbol in read:
            if symbol not in self.symbols and symbol != SILENCE:
                raise ValueError(f"symbol {symbol!r} is unknown: {nearest(symbol, self.symbols)}")
            seen = {name: one if name == symbol else zero for name in self.symbols} | states
            states = {}
            for name, (total, weights) in rows.items():
                for source, w in weights:
                    total = total + w * seen[source]
                states[name] = zero if total < zero else one if total > one else total
            yield states

    def matrices(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return B, A and b in float64: what a ``saturated_linear`` cell calls U, W and b."""
        sources = [*self.symbols, *self.units]
        B_and_A = np.zeros((len(self.units), len(sources)))
        for i, unit in enumerate(self.units.values()):
            for source, w in unit.weights.items():
                B_and_A[i, sources.index(source)] = float(w)
        bias = np.array([float(unit.bias) for unit in self.units.values()])
        return B_and_A[:, : len(self.symbols)], B_and_A[:, len(self.symbols) :], bias

    @abc.abstractmethod
    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return ``depth`` symbols, each of which it has to keep something of."""

    @abc.abstractmethod
    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Iterate over what may be read after a word, and the answer to the whole."""

    @abc.abstractmethod
    def answer(self, states: Mapping[str, Any]) -> int:
        """Return what it says at the end."""

    @abc.abstractmethod
    def reach(self, word: Sequence[str], number: Number) -> int | None:
        """Return how many symbols of a word are kept; None where all are, however many.

        This follows from the number's digits alone, without running anything.
        """
