"""Rows -> claims: an estimate, its interval, and whether it is where it was expected.

A claim says that a number lies in a region: below a bound, above one, between two. The number is
estimated from replicates alone, the runs with different seeds: an estimate, its 95 % interval, and
two p-values, of the null hypotheses that the claim is false and that it is true. Holm's procedure
corrects the p-values for the number of a study's claims: ``verdicts``.

    holds       the number lies in the region
    missed      it lies outside
    undecided   the replicates cannot tell

Exact claims, such as counts and theorems, need no replicates and are not part of the correction.

References:
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
        Statistics 6(2).
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    Berger (1982), Multiparameter hypothesis testing and acceptance sampling, Technometrics 24(4):
        a conjunction holds where each of its claims does, at the level of each.
    Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach for
        assessing the equivalence of average bioavailability, J. Pharmacokin. Biopharm. 15(6).
"""

import dataclasses
import functools
import itertools
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from pipeline.measuring.judging import (
    Found,
    Region,
    by_student,
    certain,
    deviation,
    exponential,
    logarithm,
    number,
    of_difference,
    of_median,
    of_medians,
    of_share,
    standard_error,
)
from pipeline.measuring.statistics import share_in_words, share_interval
from pipeline.study import HOLDS, LEVEL, Claim


def exact(text: str, off: float, at_most: float, *, expected: int) -> Claim:
    """Claim that an exact relation holds to rounding; ``off`` is the largest error."""
    holds = bool(off <= at_most)
    return Claim(
        text, expected, f"off by {off:.1e}", f"≤ {at_most:.0e}", exact=True, p=certain(holds)
    )


def identity(text: str, holds: bool, seen: str, *, expected: int) -> Claim:
    """Claim something in which chance plays no part: a count, an order, a theorem."""
    return Claim(text, expected, seen, "", exact=True, p=certain(bool(holds)))


def below(text: str, values: pd.Series, bound: float, **how: Any) -> Claim:
    """Claim that a mean lies below a bound; for ``how`` see ``within``."""
    return within(text, values, -math.inf, bound, **how)


def above(text: str, values: pd.Series, bound: float, **how: Any) -> Claim:
    """Claim that a mean lies above a bound; for ``how`` see ``within``."""
    return within(text, values, bound, math.inf, **how)


def within(
    text: str,
    values: pd.Series,
    low: float,
    high: float,
    *,
    expected: int,
    digits: int = 3,
    median: bool = False,
    error: float = 0.0,
    unit: str = "",
) -> Claim:
    """Claim that a mean over replicates lies between two bounds.

    ``values`` holds one number for each replicate, its index the replicate's name (the seed);
    ``digits`` is the number of significant digits shown. ``median`` judges the median instead of
    the mean; so does a value that is not finite, such as the loss of a run that diverged.
    ``error`` is the standard error of the number that the values are compared with, such as a
    published figure. ``unit`` is shown behind the number; with "%" a share is shown as so many.
    """
    whole = pd.to_numeric(values).astype(float).dropna()
    region = Region(low, high)
    if median or not whole.map(math.isfinite).all():
        found = of_median(whole, region)
    else:
        off = math.hypot(standard_error(whole), error)
        found = by_student(whole.mean(), off, len(whole) - 1, region)
        found = dataclasses.replace(found, effect=region.effect(found.estimate, deviation(whole)))
    lost = len(whole) - int(whole.map(math.isfinite).sum())
    kind = "median " if found.resampled else ""
    said = found.words(digits, len(whole), unit) + (f", {lost} not finite" if lost else "")
    return _claim(text, expected, kind + said, region.words(digits, unit), found, len(whole))


def ordered(
    text: str,
    smaller: pd.Series,
    larger: pd.Series,
    *,
    expected: int,
    by: float = 0.0,
    ratio: bool = False,
    digits: int = 3,
) -> Claim:
    """Claim that one mean is smaller than another, by ``by`` at least.

    If both have the same index, replicates are compared in pairs, otherwise the means, by Welch's
    test. With ``ratio`` the claim is that the ratio of geometric means, larger / smaller, is above
    1 + ``by``. A negative ``by`` claims non-inferiority: ``smaller`` exceeds ``larger`` by less
    than -``by``.
    """
    a, b = (pd.to_numeric(v).astype(float).dropna() for v in (smaller, larger))
    if ratio:
        a, b = a.map(logarithm), b.map(logarithm)
    region = Region(math.log1p(by) if ratio else by, math.inf)
    infinite = not (a.map(math.isfinite).all() and b.map(math.isfinite).all())
    found, paired = (of_medians(a, b, region), False) if infinite else of_difference(a, b, region)
    n = len(a) if paired else min(len(a), len(b))
    shown = found.exponential() if ratio else found
    unit = "ratio" if ratio else "apart"
    wanted = f"{unit} > {number(1 + by if ratio else by or 0, digits)}"
    if infinite:
        said = " against ".join(_with_lost(v, ratio, digits) for v in (a, b))
        seen = f"median {said}"
        if math.isfinite(shown.estimate):
            seen += f"; {unit} {shown.words(digits, n)}"
        elif math.isfinite(shown.low):
            seen += f"; {unit} at least {number(shown.low, digits)}"
    else:
        ends = [number(math.exp(v.mean()) if ratio else v.mean(), digits) for v in (a, b)]
        said = f"{'geometric mean ' if ratio else ''}{' against '.join(ends)}"
        seen = f"{said}; {unit} {shown.words(digits, n)}{', in pairs' if paired else ''}"
    return _claim(text, expected, seen, wanted, shown, n)


def share(
    text: str,
    succeeded: pd.Series,
    *,
    expected: int,
    at_least: float = 0.0,
    at_most: float = 1.0,
) -> Claim:
    """Claim that the share of replicates that succeed is in a range; the interval is Wilson's."""
    count, n = int(succeeded.astype(bool).sum()), len(succeeded)
    region = Region(at_least, at_most, " %")
    if not n:
        return _claim(text, expected, "none", region.words(3), Found.nothing(), 0)
    found = Found(count / n, *share_interval(succeeded), *of_share(count, n, region))
    return _claim(text, expected, share_in_words(succeeded), region.words(3), found, n)


def rarer(text: str, less: pd.Series, more: pd.Series, *, expected: int, by: float = 0.0) -> Claim:
    """Claim that one share of successes is smaller than another, by ``by`` at least.

    The interval of the difference is Newcombe's, the test Miettinen and Nurminen's.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

    (a, m), (b, n) = ((int(of.astype(bool).sum()), len(of)) for of in (less, more))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the ratio of shares, not used here, may be k / 0
        low, high = confint_proportions_2indep(b, n, a, m, method="newcomb", alpha=LEVEL)
        p: list[float] = []
        # If all of one succeed and none of the other, only one of the two orders gives a number.
        ways = ((b, n, a, m), by, ("larger", "smaller")), ((a, m, b, n), -by, ("smaller", "larger"))
        for counts, value, sides in ways:
            score: Any = functools.partial(
                test_proportions_2indep, *counts, value=value, method="score"
            )
            p = [float(score(alternative=side).pvalue) for side in sides]
            if not any(map(math.isnan, p)):
                break
    if_false, if_true = (1.0 if math.isnan(one) else one for one in p)
    found = Found(b / n - a / m, float(low), float(high), if_false, if_true)
    seen = f"{a} of {m} against {b} of {n}; apart {b / n - a / m:.0%} ({low:.0%} to {high:.0%})"
    wanted = f"apart > {by:.0%}"
    return _claim(text, expected, seen, wanted, found, min(m, n))


def monotone(
    text: str,
    levels: pd.DataFrame,
    *,
    expected: int,
    falls: bool = False,
    slack: float = 0.0,
) -> Claim:
    """Claim that means rise from column to column (or fall), with exceptions of at most ``slack``.

    ``levels`` has one row for each replicate and one column for each level, in order.
    """
    return every(
        text,
        [
            ordered(
                f"{a} to {b}",
                levels[b if falls else a],
                levels[a if falls else b],
                by=-slack,
                expected=expected,
            )
            for a, b in itertools.pairwise(levels.columns)
        ],
    )


def every(text: str, claims: Iterable[Claim]) -> Claim:
    """Claim that all of several claims hold.

    It holds if each of them holds, at the level of each; it is missed if one is missed, corrected
    for their number. Shown are the estimate and interval of the one that is least sure to hold.
    """
    of = list(claims)
    if not of:
        raise ValueError(f"{text!r} is a claim of nothing: give it some claims")
    worst = max(of, key=lambda claim: (claim.p[0], -claim.p[1]))
    held = sum(claim.verdict == HOLDS for claim in of)
    missed = min(1.0, len(of) * min(claim.p[1] for claim in of))
    seen = (
        worst.seen
        if len(of) == 1
        else f"{held} of {len(of)}; least sure {worst.text}: {worst.seen}"
    )
    exactly = all(claim.exact for claim in of)
    return dataclasses.replace(
        worst, text=text, seen=seen, p=(worst.p[0], missed), exact=exactly, parts=len(of)
    )


def verdicts(claims: Sequence[Claim]) -> list[str]:
    """Return each claim's verdict; Holm's procedure corrects for the number of inexact claims."""
    from statsmodels.stats.multitest import multipletests

    family = [claim for claim in claims if not claim.exact]
    corrected: dict[int, float] = {}
    if family:
        p = [min(1.0, 2 * min(claim.p)) for claim in family]
        adjusted: Any = multipletests(p, LEVEL, method="holm")[1]
        corrected = {id(claim): float(one) for claim, one in zip(family, adjusted, strict=True)}
    return [claim.judged(corrected.get(id(claim), 2 * min(claim.p))) for claim in claims]


def _with_lost(values: pd.Series, logarithms: bool, digits: int) -> str:
    """Return a median, and how many values are not finite, such as losses of runs that diverged."""
    middle = values.median()
    lost = len(values) - int(values.map(math.isfinite).sum())
    said = number(exponential(middle) if logarithms else middle, digits)
    said = said if math.isfinite(middle) else "none"
    return said + (f" ({lost} of {len(values)} not finite)" if lost else "")


def _claim(
    text: str, expected: int, seen: str, wanted: str, found: Found, replicates: int
) -> Claim:
    return Claim(
        text,
        expected,
        seen,
        wanted,
        exact=False,
        p=(found.if_false, found.if_true),
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        effect=found.effect,
        replicates=replicates,
    )
