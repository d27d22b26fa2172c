"""Transduction by counting: a dictionary word by word, and the nearest sentence of training.

    word by word    each token of the source, in its order, becomes its likeliest translation under
                    IBM's model 1, t(f|e), fitted by expectation and maximisation:

                        c(e, f) = Σ over pairs of t(f|e) / Σ_e' t(f|e')       t(f|e) ∝ c(e, f)

                    One of the e' is the empty word, to which what has no source belongs.
    nearest         the target of the training pair whose source is nearest by the cosine of TF-IDF

Neither trains a network or chooses anything.

References:
    Brown, Della Pietra, Della Pietra & Mercer (1993), The mathematics of statistical machine
        translation, Computational Linguistics 19(2).
    Salton & Buckley (1988), Term-weighting approaches in automatic text retrieval, Information
        Processing & Management 24(5).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

ROUNDS = 5
EMPTY = 0
AT_ONCE = 500
"""Sources that are compared with all of training at once: a bound on memory."""
Tokens = Sequence[str]


def by_dictionary(
    pairs: Sequence[tuple[Tokens, Tokens]], sources: Sequence[Tokens]
) -> list[list[str]]:
    """Return sources word by word; a word that training never has becomes itself."""
    best = _dictionary(pairs)
    return [[best.get(word, word) for word in source] for source in sources]


def nearest(pairs: Sequence[tuple[Tokens, Tokens]], sources: Sequence[Tokens]) -> list[list[str]]:
    """Return the target of each source's nearest training pair, the first of equals."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    as_they_are: Any = list
    vectors = TfidfVectorizer(analyzer=as_they_are, sublinear_tf=True)
    known = vectors.fit_transform([source for source, _ in pairs]).T.tocsc()
    asked = vectors.transform(sources)
    chosen = [
        int(at)
        for first in range(0, len(sources), AT_ONCE)
        for at in np.asarray((asked[first : first + AT_ONCE] @ known).toarray().argmax(axis=1))
    ]
    return [list(pairs[at][1]) for at in chosen]


def _dictionary(pairs: Sequence[tuple[Tokens, Tokens]]) -> dict[str, str]:
    """Return the likeliest translation of every word of the sources."""
    e_ids, f_ids = {"": EMPTY}, dict[str, int]()
    links: list[np.ndarray] = []  # a target's token among all of them, e, f
    place = 0
    for source, target in pairs:
        e_S = [EMPTY, *(e_ids.setdefault(word, len(e_ids)) for word in source)]
        f_T = [f_ids.setdefault(word, len(f_ids)) for word in target]
        place_T = np.arange(place, place + len(f_T))
        each_e_N = np.tile(e_S, len(f_T))
        links.append(np.stack([place_T.repeat(len(e_S)), each_e_N, np.repeat(f_T, len(e_S))]))
        place += len(f_T)
    place_N, e_N, f_N = np.concatenate(links, axis=1)
    kind_K, which_N = np.unique(e_N * len(f_ids) + f_N, return_inverse=True)
    e_K, f_K = np.divmod(kind_K, len(f_ids))
    t_K = np.ones(len(kind_K))
    for _ in range(ROUNDS):
        share_N = t_K[which_N] / np.bincount(place_N, t_K[which_N])[place_N]
        count_K = np.bincount(which_N, share_N)
        t_K = count_K / np.bincount(e_K, count_K)[e_K]
    order_K = np.lexsort((f_K, -t_K, e_K))  # by e, the likeliest first
    first_K = order_K[np.unique(e_K[order_K], return_index=True)[1]]
    e_words, f_words = list(e_ids), list(f_ids)
    return {e_words[e_K[k]]: f_words[f_K[k]] for k in first_K if e_K[k] != EMPTY}
