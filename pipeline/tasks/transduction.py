"""Copy or reverse a string of random symbols, once it has been read to its end.

    source    a b c d              targets of ``copy``     a b c d <end>
                                   targets of ``reverse``  d c b a <end>

Lengths are uniform from 1 to ``longest``. Each step of the target counts, ``<end>`` included. The
decoder's inputs are ``<begin>`` and then the targets, one step late. Guessing without the source is
right for one symbol out of ``symbols``.

Training has no strings longer than ``longest``; ``of_length`` gives strings of any length. There
are so few different strings of a few symbols that training sees all of them.

References:
    Sutskever, Vinyals & Le (2014), Sequence to sequence learning with neural networks, NeurIPS:
        what is read last is easiest to say first.
    Grefenstette, Hermann, Suleyman & Blunsom (2015), Learning to transduce with unbounded memory,
        NeurIPS, arXiv:1506.02516: these tasks.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch
from lightning_modules.registry import nearest
from pipeline.tasks._common import Generated, numbers
from pipeline.tasks._pairs import BEGIN, COLUMNS, END, RESERVED, batch_of

ORDERS = ("copy", "reverse")


class Transduction(Generated):
    """Strings and what is to be said of them.

    Attributes:
        source_size: how many ids a source may have.
    """

    input_size, loss = COLUMNS, "cross_entropy"

    def __init__(
        self,
        seed: int,
        batch_size: int,
        order: Literal["copy", "reverse"],
        symbols: int,
        longest: int,
        held_out_size: int,
    ):
        """``held_out_size`` counts strings."""
        super().__init__(seed, batch_size, held_out_size)
        whole(1, longest=longest)
        whole(2, symbols=symbols)
        if order not in ORDERS:
            raise ValueError(f"order is {order!r}: {nearest(order, ORDERS)}")
        self.order, self.symbols, self.longest = order, symbols, longest
        self.source_size = self.output_size = RESERVED + symbols
        self.begin, self.end = BEGIN, END

    def of_length(self, length: int, size: int) -> Batch:
        """Return ``size`` strings of one length that are never trained on by their numbers."""
        whole(1, length=length, size=size)
        random = numbers(self.seed, 2, length)
        return self._strings(random, np.full(size, length))

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        return self._strings(random, random.integers(1, self.longest + 1, size))

    def _strings(self, random: np.random.Generator, length_B: np.ndarray) -> Batch:
        """Return strings of these lengths and what is to be said of each."""
        strings = [RESERVED + random.integers(self.symbols, size=length) for length in length_B]
        sources = [torch.from_numpy(of) for of in strings]
        targets = [self._said(of) for of in sources]
        return batch_of(sources, targets)

    def _said(self, source_S: Tensor) -> Tensor:
        return source_S if self.order == "copy" else source_S.flip(0)
