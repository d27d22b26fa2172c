"""The contract of machines: networks of saturated-linear units with given, rational weights.

    s'_i = σ(b_i + Σ_k B_ik u_k + Σ_j A_ij s_j)        σ(x) = min(1, max(0, x))

u_k is 1 if symbol k is read at this step, else 0. States start at 0 unless ``start`` says
otherwise. Such networks can simulate any Turing machine, one of its steps in a constant number of
theirs, because a state, a rational in [0, 1], can hold a stack of any depth. A float holds only so
many symbols; ``reach`` says how many.

A sum is taken in the order in which a unit's weights are written, from b on. Where a stack comes
last, the terms before it add up to a whole number, so that the sum is rounded only once.

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
"""Weights of the terms of a unit's sum, in order, by the name of a symbol or of a unit."""


class Unit(NamedTuple):
    """The bias and the weights of one unit."""

    bias: Fraction | int
    weights: Weights


class Machine(abc.ABC):
    """A network of fixed weights that reads symbols and stores them in its states.

    Attributes:
        symbols: the symbols that it reads.
        units: its units, by name.
        start: the states that do not start at 0, by the unit's name.
    """

    def __init__(self, symbols: Sequence[str], units: Mapping[str, Unit], start: Weights):
        """Build the machine of these parts."""
        self.symbols, self.units, self.start = symbols, units, start

    def run(self, read: Iterable[str], number: Number) -> Iterator[dict[str, Any]]:
        """Iterate over the states after each symbol, by the unit's name, as numbers of this type.

        ValueError for an unknown symbol.
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
        """Return B, A and b in float64: the U, W and b of a ``saturated_linear`` cell."""
        sources = [*self.symbols, *self.units]
        B_and_A = np.zeros((len(self.units), len(sources)))
        for i, unit in enumerate(self.units.values()):
            for source, w in unit.weights.items():
                B_and_A[i, sources.index(source)] = float(w)
        bias = np.array([float(unit.bias) for unit in self.units.values()])
        return B_and_A[:, : len(self.symbols)], B_and_A[:, len(self.symbols) :], bias

    @abc.abstractmethod
    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return ``depth`` symbols, all of which the machine has to remember."""

    @abc.abstractmethod
    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Iterate over pairs: symbols to read after the word, and the right answer then."""

    @abc.abstractmethod
    def answer(self, states: Mapping[str, Any]) -> int:
        """Return the machine's answer, read from its last states."""

    @abc.abstractmethod
    def reach(self, word: Sequence[str], number: Number) -> int | None:
        """Return how many symbols of a word the number can hold; None where there is no limit.

        This follows from the number's digits and range alone, without running the machine.
        """
