"""The next token of a corpus, read as several streams: what tasks of words and characters share.

The training tokens, treated as a ring that the seed rotates, are cut into B pieces of equal length,
one for each stream. Stream b reads ``length`` tokens of its piece a batch; batch i + 1 continues
where batch i stopped. At the end of its piece it starts again, from a zero state.

The validation part is the held-out one, read in several streams, each from a zero state. The test
part is one stream from a zero state; every token is scored, the first one after ``before``.
"""

import abc
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.data.provenance import Provenance
from pipeline.tasks._common import numbers

HELD_OUT_STREAMS = 20
"""Pieces in which the held-out part is read."""
CHUNK = 1000
"""Tokens of the test part that are read at once."""


class TokenStreams(Task, abc.ABC):
    """Inputs are token numbers in one column; every step counts.

    Attributes:
        train_N, test_N: the tokens of these parts.
        before: the token that the test part begins after.
    """

    loss = "cross_entropy"
    streams = True
    input_size = 1

    def __init__(
        self,
        parts: Sequence[Tensor],
        provenance: Provenance,
        types: int,
        before: int,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
    ):
        """Take the training, validation and test tokens; ``held_out_size`` counts tokens."""
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, length=length)
        whole(2 * HELD_OUT_STREAMS, held_out_size=held_out_size)
        self.train_N, valid_N, self.test_N = parts
        pairs, there = len(self.train_N) - 1, len(valid_N)
        if batch_size > pairs:
            raise ValueError(f"batch_size is {batch_size}, the corpus has but {pairs} steps")
        if there <= HELD_OUT_STREAMS or not len(self.test_N):
            raise ValueError(
                f"the corpus has {there} tokens to validate on and {len(self.test_N)} to test on, "
                f"must have at least {HELD_OUT_STREAMS + 1} and 1: take a longer one"
            )
        kept = provenance.as_many(there, "tokens to hold out", held_out_size=held_out_size)
        self._valid_N = valid_N[:kept]
        self.output_size, self.before = types, before
        self._length, self._piece = length, pairs // batch_size
        turn = int(numbers(seed).integers(pairs))
        self._start_B = turn + self._piece * torch.arange(batch_size)

    def batch(self, index: int) -> Batch:
        """Return the next ``length`` tokens of every stream."""
        whole(0, index=index)
        step_T1 = (index * self._length + torch.arange(self._length)[:, None]) % self._piece
        at_TB = (self._start_B + step_T1) % (len(self.train_N) - 1)
        # A stream starts over at the end of its piece, and where the ring joins end and beginning.
        return _batch(self.train_N, at_TB, (step_T1 == 0) | (at_TB == 0))

    def held_out(self) -> Iterator[Batch]:
        """Iterate along the validation part; the last batch may have fewer steps."""
        piece = (len(self._valid_N) - 1) // HELD_OUT_STREAMS
        start_B = piece * torch.arange(HELD_OUT_STREAMS)
        for step_T in torch.arange(piece).split(self._length):
            at_TB = start_B + step_T[:, None]
            yield _batch(self._valid_N, at_TB, (step_T[:, None] == 0).expand_as(at_TB))

    @abc.abstractmethod
    def numbers(self, text: str) -> list[int]:
        """Return the tokens of a text; ValueError for what the vocabulary cannot say."""

    @abc.abstractmethod
    def text(self, tokens: Iterable[int]) -> str:
        """Return tokens as text."""

    def test(self, chunk: int = CHUNK, size: int | None = None) -> Iterator[Batch]:
        """Iterate along the test part, its first ``size`` tokens or all, ``chunk`` at once."""
        read_N = torch.cat([self.test_N.new_tensor([self.before]), self.test_N[:size]])
        for step_T in torch.arange(len(read_N) - 1).split(chunk):
            yield _batch(read_N, step_T[:, None], step_T[:, None] == 0)


def _batch(tokens_N: Tensor, at_TB: Tensor, resets_TB: Tensor) -> Batch:
    """Return the tokens at ``at_TB`` and, as targets, those that follow them."""
    counts_TB = torch.ones_like(at_TB, dtype=torch.bool)
    return Batch(tokens_N[at_TB].unsqueeze(-1), tokens_N[at_TB + 1], counts_TB, resets_TB)
