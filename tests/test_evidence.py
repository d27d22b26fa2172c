"""Claims beside scipy's and statsmodels' own tests, and verdicts that know of noise."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from pipeline.measuring import evidence
from pipeline.measuring.evidence import (
    above,
    below,
    every,
    exact,
    identity,
    monotone,
    ordered,
    rarer,
    share,
    within,
)
from pipeline.study import HOLDS, MISSED, UNDECIDED, Claim

SOURCE = np.random.default_rng(7)
A = pd.Series(SOURCE.normal(1.0, 0.4, 8))
B = A + SOURCE.normal(0.5, 0.1, 8)
LOST = pd.Series([0.1, 0.2, math.inf, 0.1, 0.3])


def _ones(count: int, n: int) -> pd.Series:
    return pd.Series([True] * count + [False] * (n - count))


def test_a_mean_is_judged_as_scipy_does():
    theirs: Any = stats.ttest_1samp(A, 1.3, alternative="less")
    claim = below("a", A, 1.3, expected=1)
    assert claim.p == pytest.approx((theirs.pvalue, 1 - theirs.pvalue))
    assert (claim.low, claim.high) == pytest.approx(
        tuple(stats.ttest_1samp(A, 0).confidence_interval())
    )
    assert claim.effect == pytest.approx((1.3 - A.mean()) / A.std())
    flipped = above("a", A, 1.3, expected=1)
    assert flipped.p == pytest.approx(claim.p[::-1])


def test_pairs_are_compared_in_pairs_and_others_by_welch():
    theirs: Any = stats.ttest_rel(B, A, alternative="greater")
    assert ordered("a < b", A, B, expected=1).p[0] == pytest.approx(theirs.pvalue)
    shuffled = ordered("a < b", A, B.sample(frac=1, random_state=0), expected=1)
    assert shuffled.p[0] == pytest.approx(theirs.pvalue), "by index, whatever the order"
    others = B.set_axis(range(100, 108))
    welch: Any = stats.ttest_ind(others, A, equal_var=False, alternative="greater")
    found = ordered("a < b", A, others, expected=1)
    assert found.p[0] == pytest.approx(welch.pvalue)
    assert (found.low, found.high) == pytest.approx(
        tuple(stats.ttest_ind(others, A, equal_var=False).confidence_interval())
    )


def test_a_ratio_is_of_geometric_means():
    found = ordered("a < 1.2 b", A.abs(), 3 * A.abs(), ratio=True, by=1.5, expected=1)
    assert found.estimate == pytest.approx(3)
    assert found.verdict == HOLDS
    assert ordered("no", A.abs(), 3 * A.abs(), ratio=True, by=2.5, expected=1).verdict == MISSED


def test_a_share_is_judged_as_wilsons_interval_has_it():
    for count, n, bound in ((3, 5, 0.4), (14, 14, 0.75), (0, 22, 0.2), (40, 50, 0.9)):
        found = share("s", _ones(count, n), at_least=bound, expected=1)
        options: Any = {"alternative": "larger", "prop_var": bound}
        theirs = proportions_ztest(count, n, bound, **options)[1]
        assert found.p[0] == pytest.approx(theirs)
        decided = not found.low <= bound <= found.high
        assert (found.verdict != UNDECIDED) == decided
    assert share("few", _ones(5, 5), at_least=0.9, expected=1).verdict == UNDECIDED
    assert share("most", _ones(0, 14), at_most=0.5, expected=1).verdict == HOLDS


def test_two_shares_are_told_apart_where_there_are_enough_of_them():
    assert (
        rarer("none of 14, all of 14", _ones(0, 14), _ones(14, 14), by=0.6, expected=1).verdict
        == HOLDS
    )
    assert rarer("1 of 5, 3 of 5", _ones(1, 5), _ones(3, 5), expected=1).verdict == UNDECIDED
    assert rarer("the other way", _ones(14, 14), _ones(0, 14), expected=1).verdict == MISSED
    far = rarer("the other way, by far", _ones(14, 14), _ones(0, 14), by=-0.2, expected=1)
    assert far.verdict == MISSED


def test_what_lies_within_two_bounds_is_decided_by_both():
    narrow = pd.Series([1.0, 1.01, 0.99, 1.0])
    assert within("in", narrow, 0.9, 1.1, expected=1).verdict == HOLDS
    assert within("out", narrow, 1.05, 1.1, expected=1).verdict == MISSED
    assert within("at the edge", narrow, 1.0, 1.1, expected=1).verdict == UNDECIDED
    assert within("beside", narrow, 0.9, 1.1, error=0.5, expected=1).verdict == UNDECIDED


def test_one_seed_decides_nothing_and_says_so():
    for claim in (below("a", A[:1], 99, expected=1), ordered("a < b", A[:1], B[:1], expected=1)):
        assert claim.verdict == UNDECIDED
        assert "one seed" in claim.seen
    assert below("none", A[:0], 1, expected=1).verdict == UNDECIDED


def test_seeds_that_agree_to_the_last_digit_decide():
    same = pd.Series([0.25] * 3)
    assert below("same", same, 0.3, expected=1).verdict == HOLDS
    assert below("same", same, 0.2, expected=1).verdict == MISSED
    assert ordered("same", same, same + 1, by=0.5, expected=1).verdict == HOLDS


def test_a_run_that_was_lost_is_counted_and_no_mean_is_taken_over_it():
    found = below("lost", LOST, 1.0, expected=1)
    assert "median" in found.seen
    assert "1 not finite" in found.seen
    assert found.verdict == UNDECIDED, "two of five might as well be lost"
    assert below("mostly", pd.Series([math.inf] * 7 + [0.1]), 1.0, expected=1).verdict == MISSED
    assert (
        ordered("lost", pd.Series([0.1] * 6), pd.Series([math.inf] * 6), expected=1).verdict
        == HOLDS
    )
    both = pd.Series([math.inf] * 6)
    assert ordered("both", both, both, expected=1).verdict != HOLDS


def test_a_median_asks_for_five():
    assert below("median", A[:4], 99, median=True, expected=1).verdict == UNDECIDED
    found = below("median", A, 99, median=True, expected=1)
    assert found.verdict == HOLDS
    assert found.estimate == A.median()
    assert A.min() <= found.low <= found.high <= A.max()


def test_levels_that_rise_do_so_pair_by_pair():
    levels = pd.DataFrame({1: A, 2: A + 1, 3: A + 2})
    assert monotone("rises", levels, expected=1).verdict == HOLDS
    assert monotone("falls", levels, falls=True, expected=1).verdict == MISSED
    assert monotone("falls", -levels, falls=True, expected=1).verdict == HOLDS
    flat = pd.DataFrame({1: A, 2: A})
    assert monotone("flat, but for a slack", flat, slack=0.1, expected=1).verdict == HOLDS


def test_a_conjunction_holds_where_all_do_and_is_missed_where_one_is():
    sure = [below("a", A, 99, expected=1), exact("e", 0, 1e-9, expected=1)]
    assert every("both", sure).verdict == HOLDS
    assert not every("both", sure).exact
    assert every("identities", sure[1:]).exact
    doubtful = below("doubtful", A, A.mean(), expected=1)
    assert every("one is doubtful", [*sure, doubtful]).verdict == UNDECIDED
    assert "least sure doubtful" in every("one is doubtful", [*sure, doubtful]).seen
    assert every("one is missed", [*sure, below("m", A, -99, expected=1)]).verdict == MISSED
    assert every("broken", [*sure, identity("two", False, "3", expected=1)]).verdict == MISSED
    with pytest.raises(ValueError, match="claim of nothing"):
        every("none", [])


def test_a_family_is_corrected_by_holm_and_identities_stand_outside():
    def of(p: float) -> Claim:
        return Claim("c", 1, "", "", exact=False, p=(p / 2, 1 - p / 2))

    alone = of(0.03)
    assert alone.verdict == HOLDS
    assert evidence.verdicts([alone]) == [HOLDS]
    assert evidence.verdicts([alone, of(0.04)]) == [UNDECIDED] * 2
    # .004 × 3, .02 × 2, .04 × 1: Holm's steps.
    assert evidence.verdicts([of(0.04), of(0.004), of(0.02)]) == [HOLDS] * 3
    assert evidence.verdicts([of(0.04), of(0.02), of(0.02)]) == [UNDECIDED] * 3
    identities = [identity("i", True, "", expected=1)] * 50
    assert evidence.verdicts([alone, *identities]) == [HOLDS] * 51
    assert evidence.verdicts([]) == []


def test_noise_alone_is_called_a_finding_in_no_more_than_one_study_of_twenty():
    source = np.random.default_rng(0)
    wrong = 0
    for _ in range(80):
        family = [
            ordered("no difference", *map(pd.Series, source.normal(size=(2, 5))), expected=1)
            for _ in range(6)
        ]
        wrong += set(evidence.verdicts(family)) != {UNDECIDED}
    assert wrong <= 80 * 0.05 + 3 * math.sqrt(80 * 0.05 * 0.95)


def test_two_replicates_that_happen_to_agree_decide_nothing_and_three_do() -> None:
    wrong, right = [0.188, 0.192, 0.19], [0.116, 0.12, 0.118]  # apart by .072, but for rounding
    for n, verdict in ((2, UNDECIDED), (3, MISSED)):
        of = [pd.Series(values[:n], index=range(n)) for values in (wrong, right)]
        claim = ordered("worse", *of, expected=1)
        assert evidence.verdicts([claim]) == [verdict]
        assert math.isnan(claim.effect)


def test_where_runs_diverged_medians_are_told_with_how_many_and_no_number_that_none_can_hold():
    whole, lost = pd.Series([1.0, 1.1, 1.2, 1.3]), pd.Series([2.0, math.inf, math.inf, math.inf])
    seen = ordered("one is lower", whole, lost, expected=1).seen
    assert seen.startswith("median 1.15 against none (3 of 4 not finite)")
    assert "e+" not in seen
    ratio = ordered("one is lower", whole, lost, expected=1, ratio=True).seen
    assert ratio.startswith("median 1.15 against none (3 of 4 not finite)")
    assert "e+" not in ratio
