"""Interpolated Kneser–Ney: a language model by counting n-grams.

    p_n(w | c) = (a(cw) - D(a(cw))) / a(c·) + γ(c) p_{n-1}(w | c')        c' is c without its oldest
    γ(c)       = (D_1 N_1(c·) + D_2 N_2(c·) + D_3 N_{3+}(c·)) / a(c·)     N_k: words seen k times
    Y = n_1 / (n_1 + 2 n_2)    D_k = k - (k + 1) Y n_{k+1} / n_k    D(a) = D_min(a, 3)

c is a context, w the word after it, a the count of an n-gram. The three discounts D_1, D_2, D_3 are
those of the modified form; the plain form, ``discounts=1``, subtracts Y from every count.

At the highest order, a(cw) is how often cw occurred; at lower orders, how many different words
preceded it. Below order 1 all types are equally likely, so every word of the vocabulary has a
probability, and these sum to 1 after any context. After a context that did not occur in training,
the next shorter context predicts. A model of order 1 is the unigram: a counts occurrences.

The text is one stream, without boundaries of sentences. N tokens cost O(N log N) an order, in
numpy.

References:
    Kneser & Ney (1995), Improved backing-off for m-gram language modeling, ICASSP.
    Chen & Goodman (1999), An empirical study of smoothing techniques for language modeling,
        Computer Speech and Language 13(4): interpolated and modified.
"""

from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
UNSEEN = -1
"""The number of an n-gram that did not occur in training."""
LEAST = 0.1
"""The discount if there are too few counts to estimate one."""


class _Level(NamedTuple):
    """The n-grams of one order, sorted by code, so that those of one context are adjacent."""

    codes_G: Ids
    """Context · types + word of each n-gram, rising; an n-gram's number is its place here."""
    discounted_G: NDArray[np.float64]
    """(a - D) / a(c·)."""
    handed_on_C: NDArray[np.float64]
    """γ, by context; 1 where nothing followed the context."""


@final
class KneserNey:
    """A model of ``order`` n of a text, of words or of characters."""

    def __init__(self, ids_N: Ids, order: int, types: int, discounts: Literal[1, 3] = 3):
        """Count a text of ids from 0 to ``types`` - 1; ValueError for other ids, or a bad order."""
        ids_N = np.asarray(ids_N, dtype=np.int64)
        if order < 1 or len(ids_N) < order:
            raise ValueError(f"order is {order}: it must be from 1 to the text's {len(ids_N)}")
        _refuse_foreign(ids_N, types)
        self.order, self.types = order, types
        codes, grams = [], []
        numbers_N = np.zeros(len(ids_N), dtype=np.int64)  # of the context of length 0
        for _ in range(order):
            found = np.unique(
                numbers_N * types + ids_N[len(ids_N) - len(numbers_N) :],
                return_index=True,
                return_inverse=True,
                return_counts=True,
            )
            codes.append(found[0])
            grams.append(found[1:])
            numbers_N = found[2][:-1]  # each as the context of the word after it
        self._levels = []
        for n in range(order):
            counts_G, contexts = _counts(grams, n), 1 if n == 0 else len(codes[n - 1])
            D = _discounts(counts_G) if discounts == 3 else _discount(counts_G)
            self._levels.append(_level(codes[n], counts_G, D, contexts, types))

    @property
    def entries(self) -> int:
        """The number of n-grams of all orders: the model's parameters."""
        return sum(len(level.codes_G) for level in self._levels)

    def log_probabilities(self, ids_N: Ids) -> NDArray[np.float64]:
        """Return ln p of each token of a text, (N,), given the tokens before it."""
        ids_N = np.asarray(ids_N, dtype=np.int64)
        _refuse_foreign(ids_N, self.types)
        p_N = np.full(len(ids_N), 1 / self.types)
        contexts_N = np.zeros(len(ids_N), dtype=np.int64)
        for level in self._levels:
            grams_N = self._interpolate(level, contexts_N, ids_N, p_N)
            contexts_N = np.concatenate([[UNSEEN], grams_N[:-1]])
        return np.log(p_N)

    def distribution(self, context: Ids) -> NDArray[np.float64]:
        """Return the probability of every type after a context of any length, (types,)."""
        context = np.asarray(context, dtype=np.int64)
        _refuse_foreign(context, self.types)
        every = np.arange(self.types)
        p_V = np.full(self.types, 1 / self.types)
        for n, level in enumerate(self._levels[: len(context) + 1]):
            number = np.zeros(1, dtype=np.int64)
            for below, word in zip(self._levels, context[len(context) - n :], strict=False):
                number = _find(below, number, word[None], self.types)
            self._interpolate(level, np.repeat(number, self.types), every, p_V)
        return p_V

    def _interpolate(
        self, level: _Level, contexts_N: Ids, ids_N: Ids, p_N: NDArray[np.float64]
    ) -> Ids:
        """Update p_N in place from the order below to this one; return the n-grams' numbers."""
        there = np.flatnonzero(contexts_N != UNSEEN)
        p_N[there] *= level.handed_on_C[contexts_N[there]]
        grams_N = _find(level, contexts_N, ids_N, self.types)
        seen = np.flatnonzero(grams_N != UNSEEN)
        p_N[seen] += level.discounted_G[grams_N[seen]]
        return grams_N


def _counts(grams: list[tuple[Ids, Ids, Ids]], n: int) -> Ids:
    """Return a of each n-gram: occurrences at the highest order, else distinct preceding words."""
    if n == len(grams) - 1:
        return grams[n][2]
    # Each distinct n-gram of the next order, at its first occurrence, ends with one of these.
    first_of_longer, (_, numbers_N, _) = grams[n + 1][0], grams[n]
    return np.bincount(numbers_N[first_of_longer + 1], minlength=len(grams[n][0]))


def _level(
    codes_G: Ids, counts_G: Ids, D: NDArray[np.float64], contexts: int, types: int
) -> _Level:
    """Return the level of one order, its counts discounted by D."""
    context_G = codes_G // types
    few_G = np.minimum(counts_G, 3)
    total_C = np.bincount(context_G, counts_G, contexts)
    freed_C = np.bincount(context_G, D[few_G], contexts)
    followed_C = np.maximum(total_C, 1)
    discounted_G = np.maximum(counts_G - D[few_G], 0) / followed_C[context_G]
    return _Level(codes_G, discounted_G, np.where(total_C > 0, freed_C / followed_C, 1.0))


def _discount(counts_G: Ids) -> NDArray[np.float64]:
    """Return the plain form's discount Y for counts 0 (none), 1, 2, and 3 or more, (4,)."""
    n = np.bincount(np.minimum(counts_G, 3), minlength=3)
    Y = n[1] / (n[1] + 2 * n[2]) if n[1] else LEAST
    return np.array([0.0, Y, Y, Y])


def _discounts(counts_G: Ids) -> NDArray[np.float64]:
    """Return D of counts 0, 1, 2, and 3 or more, (4,), each at most the count."""
    n = np.bincount(np.minimum(counts_G, 5), minlength=5).astype(float)
    Y = n[1] / max(n[1] + 2 * n[2], 1)
    D = [0.0] + [k - (k + 1) * Y * n[k + 1] / n[k] if n[k] else 0.0 for k in (1, 2, 3)]
    # At least LEAST is subtracted, so that some probability is left for words that are new.
    return np.clip(D, [0.0, LEAST, LEAST, LEAST], [0.0, 1.0, 2.0, 3.0])


def _find(level: _Level, contexts_N: Ids, ids_N: Ids, types: int) -> Ids:
    """Return the numbers of n-grams, UNSEEN where there is none."""
    codes_N = contexts_N * types + ids_N
    places_N = np.minimum(np.searchsorted(level.codes_G, codes_N), len(level.codes_G) - 1)
    found_N = (level.codes_G[places_N] == codes_N) & (contexts_N != UNSEEN)
    return np.where(found_N, places_N, UNSEEN)


def _refuse_foreign(ids_N: Ids, types: int) -> None:
    """Raise ValueError for an id outside the vocabulary."""
    if len(ids_N) and not (ids_N.min() >= 0 and ids_N.max() < types):
        raise ValueError(
            f"ids go from {ids_N.min()} to {ids_N.max()}: those of {types} types from 0 to "
            f"{types - 1}"
        )
