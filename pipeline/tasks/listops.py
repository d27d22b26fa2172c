"""Expressions as in ListOps: [MAX 2 9 [MIN 4 7 ] 0 ], of digits, each a digit.

    MAX, MIN    the largest, the smallest        MED    the median, rounded down
    SM          the sum modulo 10

An expression of depth d is an operator with 2 to ``arguments`` arguments, one of depth d - 1, at a
place of its own; any other is a digit, or, with a probability of 1/4, an expression of a depth from
1 to d - 1. A digit has depth 0. The tree's nodes are operators and digits; "]" is none.

References:
    Nangia & Bowman (2018), ListOps: a diagnostic dataset for latent tree learning, NAACL Student
        Research Workshop, arXiv:1804.06028: up to 5 arguments, depths to 20; drawn otherwise.
"""

import numpy as np

from lightning_modules.checks import whole
from pipeline.tasks._expressions import DIGITS, Expressions, Written, digit, placed

OPERATORS = {
    "[MAX": max,
    "[MIN": min,
    "[MED": lambda values: int(np.median(values)),
    "[SM": lambda values: sum(values) % DIGITS,
}
NESTED = 0.25
"""How likely an argument is an expression."""


class ListOps(Expressions):
    """Operators over lists of digits and lists, nested to a depth."""

    symbols = ("", *map(str, range(DIGITS)), *OPERATORS, "]")
    output_size = DIGITS

    def __init__(
        self, seed: int, batch_size: int, held_out_size: int, depth: int, arguments: int = 5
    ):
        """``held_out_size`` counts expressions."""
        super().__init__(seed, batch_size, held_out_size, depth)
        whole(2, arguments=arguments)
        self.arguments = arguments

    def written(self, random: np.random.Generator, depth: int) -> Written:
        """Draw an expression of exactly this depth."""
        if not depth:
            return digit(random)
        count = int(random.integers(2, self.arguments, endpoint=True))
        deepest, operator = int(random.integers(count)), str(random.choice(list(OPERATORS)))
        tokens, parents, values = [operator], [0], []
        for place in range(count):
            nested = depth > 1 and random.random() < NESTED
            below = int(random.integers(1, depth)) if nested else 0
            argument = self.written(random, depth - 1 if place == deepest else below)
            parents += placed(argument.parents, len(tokens), 0)
            tokens += argument.tokens
            values.append(argument.value)
        return Written([*tokens, "]"], [*parents, -1], int(OPERATORS[operator](values)))
