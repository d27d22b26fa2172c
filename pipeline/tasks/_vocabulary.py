"""Words as numbers, by falling frequency."""

from collections import Counter
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

PAD, UNKNOWN = "<pad>", "<unk>"


class Vocabulary:
    """The words of a text, the training part alone, and their ids.

    Special words come first, in their order; then the others, the most frequent first, those of
    equal frequency in alphabetical order, as adaptive softmax needs them.
    """

    def __init__(self, words: Iterable[str]):
        """Number the words in the order given; ValueError where one comes twice."""
        self._words = tuple(words)
        self._ids: Mapping[str, int] = {word: i for i, word in enumerate(self._words)}
        if len(self._ids) != len(self._words):
            twice = next(w for i, w in enumerate(self._words) if self._ids[w] != i)
            raise ValueError(f"{twice!r} comes twice in the vocabulary")

    @classmethod
    def of(
        cls, words: Iterable[str], at_least: int = 1, specials: tuple[str, ...] = (PAD, UNKNOWN)
    ) -> "Vocabulary":
        """Return the vocabulary of ``words`` that occur at least ``at_least`` times.

        A special word is in it once, at its place, however often it occurs. A language model's
        text has ``<unk>`` as a word of its own: there ``specials`` is empty.
        """
        counts = Counter(words)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        kept = (word for word, times in ranked if times >= at_least and word not in specials)
        return cls((*specials, *kept))

    def __len__(self) -> int:
        """Count the words, special ones too."""
        return len(self._words)

    def __contains__(self, word: object) -> bool:
        """Tell whether a word has an id of its own."""
        return word in self._ids

    @property
    def pad(self) -> int:
        """The id of padding: 0 by default; KeyError where there is none."""
        return self._ids[PAD]

    @property
    def unknown(self) -> int:
        """The id of whatever has none of its own: 1 by default; KeyError where there is none."""
        return self._ids[UNKNOWN]

    def ids(self, words: Iterable[str]) -> Tensor:
        """Return the (N,) ids of words; KeyError for an unknown one where ``<unk>`` has none."""
        ids = self._ids
        if UNKNOWN not in ids:
            return torch.tensor([ids[word] for word in words], dtype=torch.int64)
        unknown = self.unknown
        return torch.tensor([ids.get(word, unknown) for word in words], dtype=torch.int64)

    def words(self, ids: Iterable[int] | Tensor) -> list[str]:
        """Return the words of ids; IndexError for one beyond the vocabulary."""
        numbers = ids.tolist() if isinstance(ids, Tensor) else list(ids)
        if numbers and min(numbers) < 0:
            raise IndexError(f"{min(numbers)} is no id: they begin at 0")
        return [self._words[number] for number in numbers]
