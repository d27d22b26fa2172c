"""What the streams without end share: B lanes, each a stream of its own, cut into batches."""

import abc
from collections.abc import Iterator

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task

TRAINING, HELD_OUT = 0, 1
"""The two parts of a stream task, each with its own numbers."""
BLOCK = 5_000
"""Steps that are drawn at once where a stream is drawn block by block."""


class Stream(Task):
    """Batch i + 1 goes on where batch i stopped; the held-out part is a stream of its own."""

    streams = True

    def __init__(self, seed: int, batch_size: int, length: int, held_out_size: int):
        """A batch has ``length`` steps; ``held_out_size`` counts the steps of each lane."""
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, length=length, held_out_size=held_out_size)
        self.seed, self.batch_size = seed, batch_size
        self.length, self.held_out_size = length, held_out_size

    def batch(self, index: int) -> Batch:
        """Return the next ``length`` steps of every lane."""
        whole(0, index=index)
        return self._read(TRAINING, index * self.length + torch.arange(self.length))

    def held_out(self) -> Iterator[Batch]:
        """Iterate along the held-out stream; the last batch may have fewer steps."""
        for step_T in torch.arange(self.held_out_size).split(self.length):
            yield self._read(HELD_OUT, step_T)

    @abc.abstractmethod
    def _read(self, part: int, step_T: Tensor) -> Batch:
        """Return the given steps, which follow one another, of all lanes of a part."""


class BlockStream(Stream):
    """Streams that are drawn in blocks of BLOCK steps, each from numbers of its own."""

    def __init__(self, seed: int, batch_size: int, length: int, held_out_size: int):
        """Keep the block that was read last of either part."""
        super().__init__(seed, batch_size, length, held_out_size)
        self._kept: dict[int, tuple[int, Batch]] = {}

    def _read(self, part: int, step_T: Tensor) -> Batch:
        """Return the steps out of the one block, or more, that they lie in."""
        pieces = []
        for number in range(int(step_T[0]) // BLOCK, int(step_T[-1]) // BLOCK + 1):
            if self._kept.get(part, (-1,))[0] != number:
                self._kept[part] = number, self._block(part, number)
            at_T = step_T[step_T // BLOCK == number] % BLOCK
            pieces.append([values[at_T] for values in self._kept[part][1]])
        return Batch(*map(torch.cat, zip(*pieces, strict=True)))

    @abc.abstractmethod
    def _block(self, part: int, number: int) -> Batch:
        """Draw block ``number`` of a part: BLOCK steps."""
