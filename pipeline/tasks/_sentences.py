"""What the tasks of sentences share: ids, batches of like length, padding, the three parts.

Words and characters get their ids from the training sentences alone. Held-out sentences (to follow
training and choose settings) and test sentences (evaluated once, afterwards) may have other words,
which become ``<unk>``. So that the vector of ``<unk>`` is learned too, a word that occurs once in
the training sentences is sometimes read as ``<unk>``.

A batch has sentences of similar length; which ones, and the order of the batches, is drawn anew
each epoch. Shorter sentences are padded at their end with id 0, which is masked.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.interfaces import Batch, Task
from pipeline.data.provenance import Provenance
from pipeline.tasks._common import first_step, numbers
from pipeline.tasks._vocabulary import Vocabulary

AT_ONCE = 128
"""Sentences that are evaluated at once: a bound on memory."""
SPELT = 20
"""Characters of a word that are read; of a longer one its last."""


Kind = TypeVar("Kind")


class Sentence(NamedTuple):
    """Words, and one label for each of them or one for all."""

    words: tuple[str, ...]
    labels: tuple[int, ...]


class Parts(NamedTuple):
    """What is trained on, held out and tested."""

    train: Sequence[Sentence]
    held_out: Sequence[Sentence]
    test: Sequence[Sentence]
    provenance: Provenance


class Sentences(Task):
    """Sentences, and what is asked of them.

    Attributes:
        vocabulary: of the words that are trained on.
        words, characters: how many ids there are; 0 characters where they are not read.
        trained: how many sentences are trained on.
    """

    loss = "cross_entropy"

    def __init__(
        self,
        parts: Parts,
        outputs: int,
        seed: int,
        batch_size: int,
        train_size: int | None = None,
        spelling: bool = False,
        unknown_rate: float = 0.5,
    ):
        """Draw ``train_size`` sentences of the training part, None takes all.

        With ``spelling`` characters are read too. A word that stands once in what is trained on is
        ``<unk>`` with a probability of ``unknown_rate`` each time. ValueError for what cannot be.
        """
        whole(0, seed=seed)
        whole(1, batch_size=batch_size)
        above(0, or_equal=True, most=1, unknown_rate=unknown_rate)
        train = drawn(parts.train, seed, train_size, parts.provenance)
        if batch_size > len(train):
            raise ValueError(f"batch_size is {batch_size}, there are {len(train)} sentences")
        self.trained, self.output_size = len(train), outputs
        counts = Counter(word for sentence in train for word in sentence.words)
        self.vocabulary = Vocabulary.of(word for s in train for word in s.words)
        letters = Vocabulary.of(letter for word in counts for letter in word) if spelling else None
        self.words, self.characters = len(self.vocabulary), len(letters) if letters else 0
        self.input_size = 1 + SPELT * spelling
        once = [word for word, times in counts.items() if times == 1]
        self._once_N = torch.zeros(self.words, dtype=torch.bool)
        self._once_N[self.vocabulary.ids(once)] = True
        self._train, self._held_out, self._test = (
            _Part(of, self.vocabulary, letters) for of in (train, parts.held_out, parts.test)
        )
        self._seed, self._unknown_rate = seed, unknown_rate
        self._buckets = Buckets(seed, batch_size, self._train.lengths_N.numpy())

    def batch(self, index: int) -> Batch:
        """Return training batch ``index``."""
        batch = self._train.read(self._buckets.batch(index))
        ids_TB = batch.x_TBI[..., 0]
        drawn_TB = torch.from_numpy(numbers(self._seed, 1, index).random(ids_TB.shape))
        ids_TB[self._once_N[ids_TB] & (drawn_TB < self._unknown_rate)] = self.vocabulary.unknown
        return batch

    def held_out(self) -> Iterator[Batch]:
        """Iterate over the sentences that are held out, the shortest first."""
        return self._held_out.all()

    def test(self) -> Iterator[Batch]:
        """Iterate over the test part, the shortest first."""
        return self._test.all()


class Buckets:
    """Which sentences come in which batch: all once an epoch but for what is left over.

    Those of a batch are neighbours in length, in an order that is drawn among equals.
    """

    def __init__(self, seed: int, batch_size: int, lengths_N: np.ndarray):
        """Go through sentences of ``lengths_N`` words by ``seed``."""
        self._seed, self._batch_size, self._lengths_N = seed, batch_size, lengths_N
        self._now: tuple[int, np.ndarray] = (-1, lengths_N[:0])

    def batch(self, index: int) -> Tensor:
        """Return which sentences batch ``index`` has, (B,)."""
        whole(0, index=index)
        batches = len(self._lengths_N) // self._batch_size
        epoch, place = divmod(index, batches)
        if self._now[0] != epoch:
            random = numbers(self._seed, 0, epoch)
            drawn_N = random.permutation(len(self._lengths_N))[: batches * self._batch_size]
            sorted_N = drawn_N[np.argsort(self._lengths_N[drawn_N], kind="stable")]
            self._now = epoch, random.permutation(sorted_N.reshape(batches, self._batch_size))
        return torch.from_numpy(self._now[1][place])


class _Part:
    """Sentences as ids, one behind the other."""

    def __init__(
        self, sentences: Sequence[Sentence], words: Vocabulary, letters: Vocabulary | None
    ):
        self.lengths_N = torch.tensor([len(s.words) for s in sentences])
        if not len(sentences) or not self.lengths_N.all():
            raise ValueError("there is no sentence, or one without a word: each needs one")
        ids_NI = words.ids(word for s in sentences for word in s.words).unsqueeze(1)
        if letters is not None:
            spelt = {word: _spelt(word, letters) for s in sentences for word in s.words}
            letters_NC = torch.stack([spelt[word] for s in sentences for word in s.words])
            ids_NI = torch.cat([ids_NI, letters_NC], dim=1)
        self._ids_NI, self._first_N = ids_NI, self.lengths_N.cumsum(0) - self.lengths_N
        self._labels_N = torch.tensor([label for s in sentences for label in s.labels])
        self._asked_N = torch.tensor([len(s.labels) for s in sentences])
        self._label_N = self._asked_N.cumsum(0) - self._asked_N

    def all(self) -> Iterator[Batch]:
        """Iterate over all sentences."""
        for chosen_B in self.lengths_N.argsort(stable=True).split(AT_ONCE):
            yield self.read(chosen_B)

    def read(self, chosen_B: Tensor) -> Batch:
        """Return the chosen sentences side by side, zeros behind them."""
        t_T1 = torch.arange(int(self.lengths_N[chosen_B].max())).unsqueeze(1)
        there_TB, asked_TB = (t_T1 < of_N[chosen_B] for of_N in (self.lengths_N, self._asked_N))
        at_TB, label_TB = (
            torch.where(there_TB, of_N[chosen_B] + t_T1, 0)
            for there_TB, of_N in ((there_TB, self._first_N), (asked_TB, self._label_N))
        )
        x_TBI = self._ids_NI[at_TB].masked_fill(~there_TB.unsqueeze(-1), 0)
        y_TB = self._labels_N[label_TB].masked_fill(~asked_TB, 0)
        return Batch(x_TBI, y_TB, asked_TB, first_step(*y_TB.shape))


def drawn(
    sentences: Sequence[Kind], seed: int, train_size: int | None, provenance: Provenance
) -> list[Kind]:
    """Return ``train_size`` of the sentences, or all; ValueError for more than there are."""
    if train_size is None:
        return list(sentences)
    whole(1, train_size=train_size)
    there = len(sentences)
    wanted = provenance.as_many(there, "sentences to learn from", train_size=train_size)
    return [sentences[i] for i in numbers(seed).permutation(there)[:wanted]]


def spread(chosen: int, there: int) -> np.ndarray:
    """Return the numbers of ``chosen`` sentences, spread evenly over those there are."""
    return np.arange(chosen) * there // chosen


def _spelt(word: str, letters: Vocabulary) -> Tensor:
    """Return the ids of a word's last characters, zeros behind them, (C,)."""
    ids_C = torch.zeros(SPELT, dtype=torch.int64)
    read = word[-SPELT:]
    ids_C[: len(read)] = letters.ids(read)
    return ids_C
