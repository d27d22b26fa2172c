"""What the tasks of expressions share: trees by depth, and their form in a batch.

Column 0 of x holds a token's id; 0 is padding. Column 1 holds, for a token that is a node of the
tree, the position of its parent, counted from 1 (for the root its own), and 0 for brackets and
padding. So a tree network can read the tree, and a sequential network the sequence in column 0. The
target is the value of the whole expression, at its last token.
"""

import abc
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from pipeline.tasks._common import HELD_OUT_BATCH, Generated, numbers

DIGITS = 10
AT_DEPTH = 2
"""The part from which expressions of one depth are drawn, beside training and held-out ones."""


class Written(NamedTuple):
    """An expression as it is written down, token by token."""

    tokens: list[str]
    parents: list[int]
    """Of each token, relative to the whole's first: the parent's index; its own of the root; -1."""
    value: int


class Expressions(Generated):
    """Expressions whose depths are uniform from 1 to ``depth``; classes are their values.

    Attributes:
        symbols: the tokens by their ids, the first being padding.
    """

    input_size, loss = 2, "cross_entropy"
    symbols: tuple[str, ...]

    def __init__(self, seed: int, batch_size: int, held_out_size: int, depth: int):
        """``held_out_size`` counts expressions; a digit alone has depth 0."""
        super().__init__(seed, batch_size, held_out_size)
        whole(1, depth=depth)
        self.depth = depth

    def of_depth(self, depth: int) -> Iterator[Batch]:
        """Iterate over ``held_out_size`` expressions of one depth, the same each time."""
        whole(0, depth=depth)
        for start in range(0, self.held_out_size, HELD_OUT_BATCH):
            random = numbers(self.seed, AT_DEPTH, depth, start)
            size = min(HELD_OUT_BATCH, self.held_out_size - start)
            yield self._batch([self.written(random, depth) for _ in range(size)])

    @abc.abstractmethod
    def written(self, random: np.random.Generator, depth: int) -> Written:
        """Draw an expression of exactly this depth."""

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Draw depths, then expressions."""
        depths = random.integers(1, self.depth, size, endpoint=True)
        return self._batch([self.written(random, int(depth)) for depth in depths])

    def _batch(self, written: list[Written]) -> Batch:
        """Put expressions side by side, padded behind."""
        longest = max(len(one.tokens) for one in written)
        ids = {token: i for i, token in enumerate(self.symbols)}
        x_TBI = np.zeros((longest, len(written), 2), np.int64)
        y_TB = np.zeros((longest, len(written)), np.int64)
        mask_TB = np.zeros((longest, len(written)), bool)
        for b, (tokens, parents, value) in enumerate(written):
            x_TBI[: len(tokens), b, 0] = [ids[token] for token in tokens]
            x_TBI[: len(tokens), b, 1] = np.array(parents) + 1
            y_TB[len(tokens) - 1, b], mask_TB[len(tokens) - 1, b] = value, True
        resets_TB = np.zeros((longest, len(written)), bool)
        resets_TB[0] = True
        return Batch(*map(torch.from_numpy, (x_TBI, y_TB, mask_TB, resets_TB)))


def digit(random: np.random.Generator) -> Written:
    """Draw a digit alone."""
    value = int(random.integers(DIGITS))
    return Written([str(value)], [0], value)


def placed(parents: list[int], at: int, parent: int) -> list[int]:
    """Return a part's parents as they are where it begins at ``at``, its root below ``parent``."""
    return [-1 if up < 0 else parent if up == own else up + at for own, up in enumerate(parents)]
