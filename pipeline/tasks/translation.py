"""Sentences and their translations, for an encoder–decoder.

Both sides are tokens of ``_tokeniser``, numbered by vocabularies of the training part alone: a word
that occurs there fewer than ``at_least`` times is ``<unk>`` in all parts. Training leaves out pairs
with a side of more than ``longest`` tokens; the held-out and the test pairs are complete.

Batches have pairs of similar length, of the target first, drawn anew each epoch; pairs that do not
fill a whole batch are left out in that epoch.

The held-out pairs are of the validation part, by which settings are chosen; the test part is
evaluated once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.checks import whole
from lightning_modules.interfaces import Batch, Task
from pipeline.data.sets._base import Pair, PairedText
from pipeline.tasks import _tokeniser
from pipeline.tasks._pairs import BEGIN, COLUMNS, END, RESERVED, batch_of
from pipeline.tasks._sentences import Buckets
from pipeline.tasks._vocabulary import PAD, UNKNOWN, Vocabulary

SPECIALS = (PAD, UNKNOWN, "<begin>", "<end>")
"""In the order of their numbers in ``_pairs``."""
EVALUATED = 64
"""Pairs that are evaluated at once: a bound on memory, of which each word of a target takes V."""


class _Side(NamedTuple):
    """One side of many pairs, behind each other."""

    tokens_N: Tensor
    start_N: Tensor

    @classmethod
    def of(cls, sentences: Iterable[Tensor]) -> "_Side":
        sentences = list(sentences)
        lengths = torch.tensor([0, *map(len, sentences)])
        return cls(torch.cat(sentences), lengths.cumsum(0))

    def at(self, chosen: Iterable[int]) -> list[Tensor]:
        return [self.tokens_N[self.start_N[i] : self.start_N[i + 1]] for i in chosen]


class Translation(Task):
    """Pairs of a text, as numbers.

    Attributes:
        sources, targets: the vocabularies.
        source_size: how many ids a source may have.
        trained: how many pairs are trained on.
    """

    input_size, loss = COLUMNS, "cross_entropy"

    def __init__(
        self,
        text: PairedText,
        seed: int,
        batch_size: int,
        at_least: int,
        longest: int,
        held_out_size: int,
    ):
        """``held_out_size`` counts pairs, spread over the validation part."""
        whole(0, seed=seed)
        whole(1, batch_size=batch_size, at_least=at_least, longest=longest)
        whole(1, held_out_size=held_out_size)
        self.begin, self.end = BEGIN, END
        sides = [[_tokeniser.tokens(side) for side in _sides(pair)] for pair in text.train]
        self.sources, self.targets = (
            Vocabulary.of((word for pair in sides for word in pair[side]), at_least, SPECIALS)
            for side in (0, 1)
        )
        self.source_size, self.output_size = len(self.sources), len(self.targets)
        kept = [pair for pair in sides if max(map(len, pair)) <= longest]
        self.trained = len(kept)
        if batch_size > self.trained:
            raise ValueError(
                f"batch_size is {batch_size}, there are {self.trained} pairs of at most {longest} "
                "tokens"
            )
        self._source = _Side.of(self.sources.ids(source) for source, _ in kept)
        self._target = _Side.of(self.targets.ids(target) for _, target in kept)
        lengths_N = np.array([len(target) * longest + len(source) for source, target in kept])
        self._buckets = Buckets(seed, batch_size, lengths_N)
        there, of = len(text.valid), text.provenance
        shown = of.as_many(there, "pairs to validate on", held_out_size=held_out_size)
        self._held_out = tuple(text.valid[number * there // shown] for number in range(shown))
        self._test = text.test

    @property
    def held_out_pairs(self) -> tuple[Pair, ...]:
        """The pairs that are held out, as they were written."""
        return self._held_out

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        chosen = self._buckets.batch(index).tolist()
        return batch_of(self._source.at(chosen), self._target.at(chosen))

    def held_out(self) -> Iterator[Batch]:
        """Iterate over held-out pairs."""
        return self._part(self._held_out)

    def test(self) -> Iterator[Batch]:
        """Iterate over all pairs of the test part."""
        return self._part(self._test)

    def read(self, pairs: Sequence[Pair]) -> Tensor:
        """Return the sources of pairs as numbers, (S, B)."""
        return pad_sequence([self.sources.ids(_tokeniser.tokens(pair.source)) for pair in pairs])

    def written(self, said_TB: Tensor) -> list[str]:
        """Return what was said, up to its end, as sentences."""
        words = (self.targets.words(ids[ids >= RESERVED]) for ids in said_TB.t().cpu())
        return [_tokeniser.sentence(of) for of in words]

    def _part(self, pairs: Sequence[Pair]) -> Iterator[Batch]:
        """Iterate over pairs in their order."""
        for start in range(0, len(pairs), EVALUATED):
            sides = [_sides(pair) for pair in pairs[start : start + EVALUATED]]
            yield batch_of(
                [self.sources.ids(_tokeniser.tokens(source)) for source, _ in sides],
                [self.targets.ids(_tokeniser.tokens(target)) for _, target in sides],
            )


def _sides(pair: Pair) -> tuple[str, str]:
    return pair.source, pair.target
