"""Nested sums and differences: ( 3 - ( 4 + 7 ) ), modulo a number.

An expression of depth d is a bracket with an operator between two others: one of depth d - 1, the
other of a depth drawn uniformly from 0 to d - 1, in random order. A digit has depth 0. Operators
are + and -, equally likely; the tree's nodes are operators and digits. Read from left to right, a
digit's sign depends on all brackets around it, so the memory needed grows with the number of open
brackets. All classes are equally likely if the digits' residues are: if 10 is a multiple of the
modulus.

References:
    Veldhoen, Hupkes & Zuidema (2016), Diagnostic classifiers: revealing how neural networks process
        hierarchical structure, CoCo at NIPS.
    Hupkes, Veldhoen & Zuidema (2018), Visualisation and 'diagnostic classifiers' reveal how
        recurrent and recursive neural networks process hierarchical structure, JAIR 61. There the
        value is a number.
"""

import numpy as np

from lightning_modules.checks import whole
from pipeline.tasks._expressions import DIGITS, Expressions, Written, digit, placed


class NestedArithmetic(Expressions):
    """Sums and differences of digits, nested to a depth."""

    symbols = ("", *map(str, range(DIGITS)), "+", "-", "(", ")")

    def __init__(
        self, seed: int, batch_size: int, held_out_size: int, depth: int, modulus: int = DIGITS
    ):
        """``held_out_size`` counts expressions."""
        super().__init__(seed, batch_size, held_out_size, depth)
        whole(2, modulus=modulus)
        self.modulus = self.output_size = modulus

    def written(self, random: np.random.Generator, depth: int) -> Written:
        """Draw an expression of exactly this depth."""
        if not depth:
            tokens, parents, value = digit(random)
            return Written(tokens, parents, value % self.modulus)
        deep = self.written(random, depth - 1)
        other = self.written(random, int(random.integers(depth)))
        left, right = (deep, other) if random.integers(2) else (other, deep)
        sign = 1 if random.integers(2) else -1
        at = 1 + len(left.tokens)
        return Written(
            ["(", *left.tokens, "+" if sign > 0 else "-", *right.tokens, ")"],
            [-1, *placed(left.parents, 1, at), at, *placed(right.parents, at + 1, at), -1],
            (left.value + sign * right.value) % self.modulus,
        )
