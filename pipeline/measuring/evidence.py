"""Rows -> claims: what is estimated, how surely, and whether that is what was expected.

A claim says that a number lies in a region: below a bound, above one, between two. What is known of
the number comes from replicates, the runs of different seeds, and from them alone: an estimate, its
95 % interval, and two p-values, of the null hypotheses that the claim is false and that it is true.
A study's claims are one family, whose p-values Holm's procedure corrects: ``verdicts``.

    holds       the number lies in the region
    missed      it lies outside
    undecided   the replicates cannot tell

Exact claims, such as counts and theorems, ask for no replicates and stand outside the family.

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

from pipeline.study import HOLDS, MISSED, UNDECIDED, Claim

LEVEL = 0.05
"""Of the family of a study's claims, and one minus that of each interval."""
RESAMPLES = 9_999
LEAST_OF_MEDIAN = 5
"""Replicates of which a resampled median says anything."""


def exact(text: str, off: float, at_most: float, *, expected: int) -> Claim:
    """Claim that something known exactly is met, to rounding: ``off`` is the largest error."""
    holds = bool(off <= at_most)
    return Claim(
        text, expected, f"off by {off:.1e}", f"≤ {at_most:.0e}", exact=True, p=_certain(holds)
    )


def identity(text: str, holds: bool, seen: str, *, expected: int) -> Claim:
    """Claim a count, an order, or a theorem in which there is no chance."""
    return Claim(text, expected, seen, "", exact=True, p=_certain(bool(holds)))


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
) -> Claim:
    """Claim that a mean over replicates lies between two bounds.

    ``values`` is one number a replicate, which the index names, and ``digits`` says how many of
    its digits are told. With ``median`` the median is meant; it is always taken where a value is
    not finite, as the loss of a run that diverged. ``error`` is the standard error of what the
    values are compared with, such as a published figure's own.
    """
    whole = pd.to_numeric(values).astype(float).dropna()
    region = _Region(low, high)
    if median or not whole.map(math.isfinite).all():
        found = _resampled(whole, region)
    else:
        found = _student(whole.mean(), math.hypot(_of_mean(whole), error), len(whole) - 1, region)
        spread = float(whole.std()) if len(whole) > 1 else math.nan
        found = dataclasses.replace(found, effect=region.distance(found.estimate) / (spread or 1))
    lost = len(whole) - int(whole.map(math.isfinite).sum())
    kind = "median " if found.resampled else ""
    said = found.words(digits, len(whole)) + (f", {lost} not finite" if lost else "")
    return _claim(text, expected, kind + said, region.words(digits), found, len(whole))


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

    Replicates of the same index are compared in pairs; where the indices differ, the means are, by
    Welch's test. With ``ratio`` the geometric means are: larger / smaller is above 1 + ``by``.
    A negative ``by`` claims that it is larger by no more than that: no worse.
    """
    a, b = (pd.to_numeric(v).astype(float).dropna() for v in (smaller, larger))
    if ratio:
        a, b = a.map(_logarithm), b.map(_logarithm)
    region = _Region(math.log1p(by) if ratio else by, math.inf)
    infinite = not (a.map(math.isfinite).all() and b.map(math.isfinite).all())
    paired = a.index.is_unique and a.index.sort_values().equals(b.index.sort_values())
    paired = paired and not infinite
    n = len(a) if paired else min(len(a), len(b))
    if infinite:
        found = _ranked(a, b, region)
    elif paired:
        apart = b - a
        found = _student(apart.mean(), _of_mean(apart), n - 1, region)
        spread = float(apart.std()) if n > 1 else math.nan
        found = dataclasses.replace(found, effect=found.estimate / (spread or 1))
    else:
        found = _welch(a, b, region)
    middle = "geometric mean " if ratio else ""
    ends = [math.exp(v.mean()) if ratio else v.median() if infinite else v.mean() for v in (a, b)]
    said = f"{middle}{_number(ends[0], digits)} against {_number(ends[1], digits)}"
    shown = found.exponential() if ratio else found
    unit = "ratio" if ratio else "apart"
    wanted = f"{unit} > {_number(1 + by if ratio else by or 0, digits)}"
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
    """Claim that a share of replicates succeeds; the interval is Wilson's."""
    from statsmodels.stats.proportion import proportion_confint

    count, n = int(succeeded.astype(bool).sum()), len(succeeded)
    region = _Region(at_least, at_most, " %")
    if not n:
        return _claim(text, expected, "none", region.words(3), _Found.nothing(), 0)
    bounds: Any = proportion_confint(count, n, LEVEL, method="wilson")
    low, high = bounds
    found = _Found(count / n, float(low), float(high), *_of_share(count, n, region))
    seen = f"{count} of {n} ({low:.0%} to {high:.0%})"
    return _claim(text, expected, seen, region.words(3), found, n)


def rarer(text: str, less: pd.Series, more: pd.Series, *, expected: int, by: float = 0.0) -> Claim:
    """Claim that one share of successes is smaller than another, by ``by`` at least.

    The interval of the difference is Newcombe's, the test Miettinen and Nurminen's.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

    (a, m), (b, n) = ((int(of.astype(bool).sum()), len(of)) for of in (less, more))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a ratio of shares, which is not asked for, may be k / 0
        low, high = confint_proportions_2indep(b, n, a, m, method="newcomb", alpha=LEVEL)
        p: list[float] = []
        # Where all succeed of the one and none of the other, it is computed one way round alone.
        ways = ((b, n, a, m), by, ("larger", "smaller")), ((a, m, b, n), -by, ("smaller", "larger"))
        for counts, value, sides in ways:
            score: Any = functools.partial(
                test_proportions_2indep, *counts, value=value, method="score"
            )
            p = [float(score(alternative=side).pvalue) for side in sides]
            if not any(map(math.isnan, p)):
                break
    if_false, if_true = (1.0 if math.isnan(one) else one for one in p)
    found = _Found(b / n - a / m, float(low), float(high), if_false, if_true)
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
    """Claim that means rise from column to column, or fall, but for ``slack`` at most.

    ``levels`` has a row a replicate and a column a level, in order.
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
    """Claim that all of some claims hold.

    It holds where each does, at its level; it is missed where one is, corrected for their number.
    What is shown is that of the least sure.
    """
    of = list(claims)
    if not of:
        raise ValueError(f"{text!r} is a claim of nothing: give it some claims")
    worst = max(of, key=lambda claim: (claim.p[0], -claim.p[1]))
    held = sum(claim.verdict == HOLDS for claim in of)
    missed = min(1.0, len(of) * min(claim.p[1] for claim in of))
    if any(claim.exact for claim in of) and min(claim.p[1] for claim in of) == 0:
        missed = 0.0
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
    """Return each claim's verdict, the family of those with chance in them corrected by Holm."""
    from statsmodels.stats.multitest import multipletests

    family = [claim for claim in claims if not claim.exact]
    corrected: dict[int, float] = {}
    if family:
        p = [min(1.0, 2 * min(claim.p)) for claim in family]
        adjusted: Any = multipletests(p, LEVEL, method="holm")[1]
        corrected = {id(claim): float(one) for claim, one in zip(family, adjusted, strict=True)}
    return [_verdict(claim.p, corrected.get(id(claim), 2 * min(claim.p))) for claim in claims]


def _verdict(p: tuple[float, float], corrected: float) -> str:
    if not corrected <= LEVEL:
        return UNDECIDED
    return HOLDS if p[0] < p[1] else MISSED


@dataclasses.dataclass(frozen=True)
class _Region:
    """Where a number is said to lie."""

    low: float
    high: float
    unit: str = ""

    def words(self, digits: int) -> str:
        """Return it as words."""
        low, high = (
            f"{v:.{digits}g}" if not self.unit else f"{v:.0%}" for v in (self.low, self.high)
        )
        bounded = [
            self.low > (0 if self.unit else -math.inf),
            self.high < (1 if self.unit else math.inf),
        ]
        if all(bounded):
            return f"{low} to {high}"
        return f"> {low}" if bounded[0] else f"< {high}"

    def distance(self, at: float) -> float:
        """Return how far within it a number lies; negative outside."""
        return min(at - self.low, self.high - at)


@dataclasses.dataclass(frozen=True)
class _Found:
    """An estimate, its interval, and the p-values of the claim's being false, and being true."""

    estimate: float
    low: float
    high: float
    if_false: float
    if_true: float
    effect: float = math.nan
    resampled: bool = False

    @classmethod
    def nothing(cls) -> "_Found":
        """Return what is known without replicates."""
        return cls(math.nan, math.nan, math.nan, 1.0, 1.0)

    def words(self, digits: int, n: int) -> str:
        """Return the estimate and its interval."""
        value = _number(self.estimate, digits)
        if n < 2 or math.isnan(self.low):
            return f"{value} of one seed alone" if n == 1 else value
        return f"{value} ({_number(self.low, digits)} to {_number(self.high, digits)})"

    def exponential(self) -> "_Found":
        """Return it of the number whose logarithm this is of."""
        of = [_exponential(v) for v in (self.estimate, self.low, self.high)]
        return dataclasses.replace(self, estimate=of[0], low=of[1], high=of[2])


def _claim(
    text: str, expected: int, seen: str, wanted: str, found: _Found, replicates: int
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


def _certain(holds: bool) -> tuple[float, float]:
    """Return the p-values of what is known."""
    return (0.0, 1.0) if holds else (1.0, 0.0)


def _of_mean(values: pd.Series) -> float:
    """Return the standard error of the mean; NaN for a single value."""
    error: Any = values.sem()
    return float(error) if len(values) > 1 else math.nan


def _student(estimate: float, error: float, freedom: float, region: _Region) -> _Found:
    """Judge an estimate with its standard error by Student's t."""
    from scipy.stats import t

    if freedom < 1 or math.isnan(error):
        return dataclasses.replace(_Found.nothing(), estimate=float(estimate))
    if error == 0:  # all replicates are one number
        p = _certain(region.distance(estimate) > 0)
        return _Found(float(estimate), float(estimate), float(estimate), *p)
    width = error * float(t.ppf(1 - LEVEL / 2, freedom))
    over, under = (estimate - region.low) / error, (region.high - estimate) / error
    if_false = max(float(t.sf(over, freedom)), float(t.sf(under, freedom)))
    if_true = min(float(t.cdf(over, freedom)), float(t.cdf(under, freedom)))
    return _Found(float(estimate), estimate - width, estimate + width, if_false, if_true)


def _welch(a: pd.Series, b: pd.Series, region: _Region) -> _Found:
    """Judge how far b's mean lies above a's, of independent replicates."""
    errors = [_of_mean(v) ** 2 for v in (a, b)]
    whole = sum(errors)
    parts = sum(e**2 / (len(v) - 1) for e, v in zip(errors, (a, b), strict=True) if len(v) > 1)
    freedom = whole**2 / parts if parts else len(a) + len(b) - 2
    found = _student(b.mean() - a.mean(), math.sqrt(whole), freedom, region)
    spread = math.sqrt((a.var() + b.var()) / 2) if min(len(a), len(b)) > 1 else math.nan
    return dataclasses.replace(found, effect=found.estimate / (spread or 1))


def _resampled(values: pd.Series, region: _Region) -> _Found:
    """Judge a median by the bootstrap."""
    import numpy as np

    return _bootstrap((values,), np.median, region)


def _ranked(a: pd.Series, b: pd.Series, region: _Region) -> _Found:
    """Judge how far b's median lies above a's where a value is not finite, by the bootstrap."""
    import numpy as np

    def apart(a: Any, b: Any, axis: int = -1) -> Any:
        # Of two that are both lost neither lies above.
        middle = np.median(b, axis=axis) - np.median(a, axis=axis)
        return np.nan_to_num(middle, nan=0.0, posinf=np.inf, neginf=-np.inf)

    return _bootstrap((a, b), apart, region)


def _bootstrap(samples: tuple[pd.Series, ...], statistic: Any, region: _Region) -> _Found:
    """Judge a statistic by its percentiles over resamples."""
    import numpy as np
    from scipy.stats import bootstrap

    least = min(len(sample) for sample in samples)
    arrays = tuple(sample.to_numpy() for sample in samples)
    with np.errstate(all="ignore"):
        estimate = float(statistic(*arrays)) if least else math.nan
        if least < LEAST_OF_MEDIAN:
            return dataclasses.replace(_Found.nothing(), estimate=estimate, resampled=True)
        draws = bootstrap(
            arrays, statistic, n_resamples=RESAMPLES, method="percentile", rng=0
        ).bootstrap_distribution
        low, high = np.quantile(draws, [LEVEL / 2, 1 - LEVEL / 2], method="inverted_cdf")
    unbounded = math.isinf(region.high)
    inside = int(((draws > region.low) & (unbounded | (draws < region.high))).sum())
    if_true, if_false = ((1 + k) / (RESAMPLES + 1) for k in (inside, RESAMPLES - inside))
    return _Found(estimate, float(low), float(high), if_false, if_true, resampled=True)


def _of_share(count: int, n: int, region: _Region) -> tuple[float, float, float]:
    """Return a share's p-values by the score test, which Wilson's interval inverts, and h."""
    from scipy.stats import norm

    def score(bound: float) -> float:
        error = math.sqrt(bound * (1 - bound) / n)
        off = count / n - bound
        return off / error if error else math.copysign(math.inf, off) if off else 0.0

    sides = []
    if region.low > 0:
        sides.append(score(region.low))
    if region.high < 1:
        sides.append(-score(region.high))
    if_false = max(float(norm.sf(z)) for z in sides)
    if_true = min(float(norm.cdf(z)) for z in sides)
    bound = region.low if region.low > 0 else region.high
    h = 2 * (math.asin(math.sqrt(count / n)) - math.asin(math.sqrt(bound)))
    return if_false, if_true, h if region.low > 0 else -h


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}g}"


def _logarithm(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _exponential(value: float) -> float:
    return math.exp(min(value, 700.0)) if not math.isnan(value) else value
