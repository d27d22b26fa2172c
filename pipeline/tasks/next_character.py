"""The next character of a text, read as several streams without end.

The training text, taken as a ring, is cut into B pieces of equal length, one a stream; the seed
turns the ring. Stream b reads its piece ``length`` characters a batch, batch i + 1 going on where
batch i stopped, and starts over, from a zero state, at the end of its piece.

The held-out text is the validation part. The test part is left alone: curves are looked at while
settings are chosen, and a figure that is looked at for choosing is no test.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.data.sets._base import Text
from pipeline.tasks._common import numbers

HELD_OUT_STREAMS = 20
"""Pieces in which the held-out text is read, each from a zero state."""


class NextCharacter(Task):
    """Inputs are one-hot characters; every step counts."""

    loss = "cross_entropy"

    def __init__(
        self,
        text: Text,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        streams: bool = True,
    ):
        """Cut the text; without ``streams`` every batch is read from a zero state.

        ``held_out_size`` counts characters.
        """
        self.streams = streams
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, length=length)
        whole(2 * HELD_OUT_STREAMS, held_out_size=held_out_size)
        pairs = len(text.train_N) - 1
        if batch_size > pairs:
            raise ValueError(f"batch_size is {batch_size}, the text has but {pairs} steps")
        if len(text.valid_N) <= HELD_OUT_STREAMS:
            raise ValueError(
                f"the text's validation part has {len(text.valid_N)} characters, must have at "
                f"least {HELD_OUT_STREAMS + 1}: take a longer text"
            )
        self.input_size = self.output_size = len(text.alphabet)
        there, of = len(text.valid_N), text.provenance
        kept = of.as_many(there, "characters to validate on", held_out_size=held_out_size)
        self._text_N, self._held_out_N = text.train_N, text.valid_N[:kept]
        self._length, self._piece = length, pairs // batch_size
        turn = int(numbers(seed).integers(pairs))
        self._start_B = turn + self._piece * torch.arange(batch_size)

    def batch(self, index: int) -> Batch:
        """Return the next ``length`` characters of every stream."""
        whole(0, index=index)
        step_T1 = (index * self._length + torch.arange(self._length)[:, None]) % self._piece
        at_TB = (self._start_B + step_T1) % (len(self._text_N) - 1)
        # A stream starts over at the end of its piece, and where the ring joins end and beginning.
        resets_TB = (step_T1 == 0) | (at_TB == 0)
        return self._read(self._text_N, at_TB, resets_TB)

    def held_out(self) -> Iterator[Batch]:
        """Iterate along the validation text; the last batch may have fewer steps."""
        piece = (len(self._held_out_N) - 1) // HELD_OUT_STREAMS
        start_B = piece * torch.arange(HELD_OUT_STREAMS)
        for step_T in torch.arange(piece).split(self._length):
            at_TB = start_B + step_T[:, None]
            yield self._read(self._held_out_N, at_TB, (step_T[:, None] == 0).expand_as(at_TB))

    def _read(self, text_N: Tensor, at_TB: Tensor, resets_TB: Tensor) -> Batch:
        """Return the characters at ``at_TB`` and, as targets, those that follow them."""
        x_TBI = one_hot(text_N[at_TB], self.input_size).float()
        return Batch(x_TBI, text_N[at_TB + 1], torch.ones_like(at_TB, dtype=torch.bool), resets_TB)
