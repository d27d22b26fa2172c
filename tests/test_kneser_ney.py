"""Kneser–Ney held to its equations, counted the slow way, and to what a probability is."""

from collections import Counter, defaultdict
from typing import Literal

import numpy as np
import pytest

from pipeline.measuring.kneser_ney import KneserNey

TYPES = 6


def words(size: int, seed: int = 0) -> np.ndarray:
    """Return a text in which what comes next depends on what was before."""
    random = np.random.default_rng(seed)
    ids = [0, 1]
    for _ in range(size - 2):
        likely = (ids[-1] + 2 * ids[-2]) % (TYPES - 1)
        ids.append(likely if random.random() < 0.6 else int(random.integers(TYPES - 1)))
    return np.array(ids)


def slowly(text: list[int], order: int, context: list[int], word: int, discounts: int) -> float:
    """Return p(word | context) from dictionaries, n-gram by n-gram, as the equations have it."""
    occurs = [Counter(zip(*(text[i:] for i in range(n)), strict=False)) for n in range(order + 1)]
    p = 1 / TYPES
    for n in range(1, order + 1):
        if n == order:
            a = {gram: float(count) for gram, count in occurs[n].items()}
        else:
            before: dict[tuple[int, ...], set[int]] = defaultdict(set)
            for longer in occurs[n + 1]:
                before[longer[1:]].add(longer[0])
            a = {gram: float(len(of)) for gram, of in before.items()}
        D = _discounts(list(a.values()), discounts)
        before_it = tuple(context[len(context) - n + 1 :])
        if len(before_it) < n - 1:
            break
        follow = {gram[-1]: v for gram, v in a.items() if gram[:-1] == before_it}
        if not follow:
            break
        total = sum(follow.values())
        gamma = sum(D[min(int(v), 3)] for v in follow.values()) / total
        own = max(follow[word] - D[min(int(follow[word]), 3)], 0) / total if word in follow else 0
        p = own + gamma * p
    return p


def _discounts(counts: list[float], discounts: int) -> dict[int, float]:
    """Return what is taken from counts of 1, of 2, and of more."""
    n = [sum(v == k for v in counts) for k in range(5)]
    Y = n[1] / (n[1] + 2 * n[2]) if n[1] else 0.0
    if discounts == 1:
        return dict.fromkeys((1, 2, 3), Y or 0.1)
    D = {k: k - (k + 1) * Y * n[k + 1] / n[k] if n[k] else 0 for k in (1, 2, 3)}
    return {k: min(max(one, 0.1), k) for k, one in D.items()}


@pytest.mark.parametrize("discounts", [1, 3])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_are_those_of_the_equations(order: int, discounts: Literal[1, 3]) -> None:
    text, other = words(400), words(60, seed=1)
    of_text = KneserNey(text, order, TYPES, discounts).log_probabilities(other)
    for t, word in enumerate(other):
        context = other[max(0, t - order + 1) : t].tolist()
        p = slowly(text.tolist(), order, context, int(word), discounts)
        assert np.exp(of_text[t]) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("discounts", [1, 3])
@pytest.mark.parametrize("order", [1, 2, 4, 7])
def test_they_sum_to_one_after_any_context_seen_or_not(
    order: int, discounts: Literal[1, 3]
) -> None:
    model = KneserNey(words(300), order, TYPES, discounts)
    contexts = [[], [TYPES - 1], [TYPES - 1] * 9, words(300)[-order:].tolist()]
    for context in contexts + [words(40, seed)[: seed % 9].tolist() for seed in range(2, 20)]:
        p_V = model.distribution(np.array(context, dtype=int))
        assert p_V.sum() == pytest.approx(1, abs=1e-13)
        assert (p_V > 0).all(), "a word that training lacked has a share, too"


def test_a_text_is_read_as_its_contexts_one_by_one() -> None:
    model, text = KneserNey(words(300), 4, TYPES), words(50, seed=5)
    read = model.log_probabilities(text)
    for t in (0, 1, 2, 3, 10, 49):
        assert np.log(model.distribution(text[:t])[text[t]]) == pytest.approx(read[t], rel=1e-12)


def test_counts_too_few_to_estimate_discounts_still_make_a_distribution() -> None:
    for text in ([0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1]):
        model = KneserNey(np.array(text), 2, 4)
        assert model.distribution(np.array([0])).sum() == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: KneserNey(np.array([0, 1]), 3, 2), "order is 3: it must be from 1"),
        (lambda: KneserNey(np.array([0, 1]), 0, 2), "order is 0"),
        (lambda: KneserNey(np.array([0, 2]), 1, 2), "ids go from 0 to 2: those of 2 types"),
        (lambda: KneserNey(np.array([0, 1]), 1, 2).distribution(np.array([-1])), "from -1 to -1"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_a_line(make, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)
