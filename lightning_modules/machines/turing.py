"""A Turing machine with two symbols, simulated step by step: its tape is two Cantor stacks.

    right stack r: the cell under the head on top, then those to its right      (see palindromes.py)
    left stack  l: the cells to the left of the head, the nearest on top        a blank is a 0

Three steps of the network make one step of the Turing machine:

    1. unit q, the state, is on; the tops of both stacks are read, σ(4 s - 2)
    2. unit "q by" is on; both stacks without their tops are made, σ(4 s - 2 top - 1)
    3. unit "q reads symbol" is on; it gates the stacks after writing and moving, and the next state

Until then the stacks are held as they are. Popping an empty stack leaves it empty, so the tape is
blank without end on both sides. To write the tape the network reads 0s and 1s, the first of which
ends up furthest right; then "go" turns the first state on.

References:
    Siegelmann & Sontag (1995), On the computational power of neural nets, Journal of Computer and
        System Sciences 50(1): a universal machine of 886 units, in real time.
    Brady (1983), The determination of the value of Rado's noncomputable function Σ(k) for
        four-state Turing machines, Mathematics of Computation 40: the busy beaver.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, final

import numpy as np

from lightning_modules.machines._cantor import digits_kept
from lightning_modules.machines._machine import SILENCE, Machine, Unit, Weights
from lightning_modules.machines._numbers import Number, exactly
from lightning_modules.registry import UnknownNameError, nearest

HALT = "halt"
STEPS = 3
"""How many steps of the network make one step of the Turing machine."""
Rules = Mapping[tuple[str, int], tuple[int, str, str]]
"""(state, symbol read) -> (symbol to write, "left" or "right", next state)."""

PROGRAMS: dict[str, Rules] = {
    # Adds 1 to a number whose lowest bit is under the head, the higher ones to the right.
    "increment": {("A", 1): (0, "right", "A"), ("A", 0): (1, "right", HALT)},
    # Writes 13 ones in 107 steps, the most of all that halt with four states on a blank tape.
    "busy_beaver_4": {
        ("A", 0): (1, "right", "B"),
        ("A", 1): (1, "left", "B"),
        ("B", 0): (1, "left", "A"),
        ("B", 1): (0, "left", "C"),
        ("C", 0): (1, "right", HALT),
        ("C", 1): (1, "left", "D"),
        ("D", 0): (1, "right", "D"),
        ("D", 1): (0, "right", "A"),
    },
}
"""Programs by name; each starts in the state of its first rule."""


STACKS = {
    "right": ("right held", "right loaded", "right pushed", "right popped"),
    "left": ("left held", "left pushed", "left popped"),
}
"""Units of which at each step one holds the stack; the others are 0."""


class Configuration(NamedTuple):
    """A configuration: the state, and both halves of the tape as Cantor stacks."""

    state: str
    left: Fraction
    right: Fraction


@final
class Turing(Machine):
    """One program: 12 units, plus one for each rule and two for each state except the halt."""

    def __init__(self, program: str = "increment"):
        """Build the units of the program of that name; UnknownNameError if there is none."""
        if program not in PROGRAMS:
            hint = nearest(program, PROGRAMS)
            raise UnknownNameError(f"{program!r} is not one of the programs: {hint}")
        self.rules = PROGRAMS[program]
        super().__init__(("0", "1", "go"), _wired(self.rules), {})

    def plainly(self, word: Sequence[str]) -> Iterator[Configuration]:
        """Iterate over all configurations, computed plainly: by the rules, on lists of symbols."""
        left, right = [], [int(symbol) for symbol in word]  # the last is on top
        state = next(iter(self.rules))[0]
        yield Configuration(state, _fraction(left), _fraction(right))
        while state != HALT:
            read = right.pop() if right else 0
            written, move, state = self.rules[state, read]
            if move == "right":
                left.append(written)
            else:
                right += [written, left.pop() if left else 0]
            yield Configuration(state, _fraction(left), _fraction(right))

    def configuration(self, states: Mapping[str, Any]) -> Configuration:
        """Return the configuration in the network's states, at "go" and every third step after it.

        The state is empty where not exactly one state's unit is on.
        """
        on = [q for q in (*dict.fromkeys(q for q, _ in self.rules), HALT) if states[q] == 1]
        left, right = (
            sum((exactly(states[unit]) for unit in STACKS[side]), Fraction(0))
            for side in ("left", "right")
        )
        return Configuration(on[0] if len(on) == 1 else "", left, right)

    def word(self, random: np.random.Generator, depth: int) -> list[str]:
        """Return 1s: the number whose increment carries furthest."""
        del random
        return ["1"] * depth

    def questions(self, word: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Ask how many 1s are on the tape when the program has halted."""
        *before, last = self.plainly(word)
        yield ["go", *[SILENCE] * STEPS * len(before)], _ones(last.left) + _ones(last.right)

    def answer(self, states: Mapping[str, Any]) -> int:
        """Return how many 1s are on the tape; -1 if it has not halted or the tape is damaged."""
        state, left, right = self.configuration(states)
        return _ones(left) + _ones(right) if state == HALT else -1

    def reach(self, word: Sequence[str], number: Number) -> int | None:
        """Return how many symbols of the tape the number holds while it is written."""
        return digits_kept([int(symbol) for symbol in word], number)


def _wired(rules: Rules) -> dict[str, Unit]:
    """Return the units of a program."""
    first = next(iter(rules))[0]
    pairs = {rule: f"{rule[0]} reads {rule[1]}" for rule in rules}
    units: dict[str, Unit] = {}
    for q in (*dict.fromkeys(q for q, _ in rules), HALT):
        into = {pairs[rule]: 1 for rule, (_, _, then) in rules.items() if then == q}
        if q == HALT:
            units[q] = Unit(0, {q: 1, **into})
            continue
        units[q] = Unit(0, ({"go": 1} if q == first else {}) | into)
        units[f"{q} by"] = Unit(0, {q: 1})
    for (q, symbol), pair in pairs.items():
        units[pair] = Unit(-symbol, {f"{q} by": 1, "top right": 2 * symbol - 1})
    every = dict.fromkeys(pairs.values(), -1)
    for side in ("left", "right"):
        stack = dict.fromkeys(STACKS[side], 1)
        loads = {"0": -1, "1": -1} if side == "right" else {}
        units[f"top {side}"] = Unit(-2, _times(4, stack))
        units[f"rest {side}"] = Unit(-1, {f"top {side}": -2, **_times(4, stack)})
        units[f"{side} held"] = Unit(0, loads | every | stack)
        popping = {pairs[rule]: 1 for rule, (_, move, _) in rules.items() if move == side}
        units[f"{side} popped"] = Unit(-1, popping | {f"rest {side}": 1})
    quarter = Fraction(1, 4)
    stacks = {side: _times(quarter, dict.fromkeys(STACKS[side], 1)) for side in STACKS}
    units["right loaded"] = Unit(-1, {"0": 5 * quarter, "1": 7 * quarter, **stacks["right"]})
    pushing = {
        move: {
            pairs[rule]: (2 * w + 1) * quarter for rule, (w, to, _) in rules.items() if to == move
        }
        for move in STACKS
    }
    # Moving right pushes the symbol that is written onto the left stack.
    gated = {pair: 1 + digit for pair, digit in pushing["right"].items()}
    units["left pushed"] = Unit(-1, {**gated, **stacks["left"]})
    # Moving left pushes it onto the right stack, and then the top of the left stack onto that.
    gated = {pair: 1 + digit / 4 + quarter for pair, digit in pushing["left"].items()}
    below = {"top left": 2 * quarter, "rest right": quarter / 4}
    units["right pushed"] = Unit(-1, {**gated, **below})
    return units


def _times(factor: Fraction | int, weights: Weights) -> dict[str, Fraction | int]:
    return {name: factor * w for name, w in weights.items()}


def _fraction(symbols: Sequence[int]) -> Fraction:
    """Return a stack's fraction, the last symbol on top."""
    stack = Fraction(0)
    for symbol in symbols:
        stack = stack / 4 + Fraction(2 * symbol + 1, 4)
    return stack


def _ones(stack: Fraction) -> int:
    """Count the 1s of a stack; -1 for a number that is no stack, as rounding may leave."""
    ones = 0
    while 0 < stack < 1:
        top = int(stack > Fraction(1, 2))
        ones, stack = ones + top, max(Fraction(0), 4 * stack - 2 * top - 1)
    return ones if stack == 0 else -1
