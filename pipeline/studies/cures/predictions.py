"""What was expected of the cures, and whether it came so.

Expected, of simple recurrent networks under plain gradient descent:
    1. Temporal order (Pascanu's table, at their task's shortest length): a clip by norm at 1
       solves it from at least 3 of 5 starts more than no clip does.
    2. Their rule: a clip by norm at any threshold from 1/2 to 10 times the mean norm converges,
       here: from at least half of the starts.
    3. Clipping by norm never turns the update. Clipping every entry leaves little but signs, whose
       cosine to normally distributed entries is √(2/π), .80, and lower where tails are heavier;
       clipping by unit lies between.
    4. A clip below every norm leaves the direction alone. That much of the gradient is enough to
       learn from, and no clip by norm diverges; what is lost is speed: success comes later than
       under the reference clip.
    5. Clipping widens the range of learning rates: at none does it solve less often than nothing
       does, and at the highest it ends better.
    6. Decay is no substitute: alone it solves less often than the clip alone. The strongest decay
       undoes the clip, since weights that it keeps small cannot hold what came early.
"""

import math
from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.statistics import share_in_words
from pipeline.study import Check

TABLED = "temporal_order"
GAP = 3 / 5
WORKS = 0.5, 10.0
"""Thresholds over the mean norm that converge, by Pascanu et al."""
ALWAYS = 0.99
"""The fraction of updates from which on everything is said to be clipped."""
OF_SIGNS = math.sqrt(2 / math.pi)


def outcomes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each run that sums it up; a run that diverged has an infinite loss."""
    ends = rows[rows["record"] == "outcome"]
    lost = ends["diverged"].astype(bool) | ends["final_loss"].isna()
    return ends.assign(final_loss=ends["final_loss"].where(~lost, math.inf))


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Check each prediction on every task that it can be checked on."""
    ends = outcomes(rows)
    for task, seen in ends.groupby("task", sort=False):
        none, clip = _references(seen)
        if seen["succeeded"].notna().all():
            yield from _success(str(task), seen, none, clip)
        yield from _directions(str(task), seen)
        yield from _rates(str(task), seen)


def _references(seen: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the runs without any cure and those under the reference clip."""
    plain = seen[seen["varied"] == "nothing"]
    return plain[plain["kind"] == "none"], plain[plain["kind"] == "norm"]


def _success(
    task: str, seen: pd.DataFrame, none: pd.DataFrame, clip: pd.DataFrame
) -> Iterator[Check]:
    """Check where it is solved, and how soon."""
    best, name = clip["succeeded"].astype(float), clip["cure"].iloc[0]
    still = none["succeeded"].astype(float)
    if task == TABLED:
        yield Check(
            f"{task}: {name} solves it from at least 3 of 5 starts more than no clip does",
            best.mean() - still.mean() >= GAP - 1e-9,
            f"{share_in_words(best)} against {share_in_words(still)}",
        )
    by_norm = seen[(seen["kind"] == "norm") & seen["varied"].isin(["nothing", "threshold"])]
    yield from _range(task, by_norm)
    yield from _everything(task, by_norm, clip)
    yield from _decays(task, seen[seen["varied"] == "decay"], best)


def _range(task: str, by_norm: pd.DataFrame) -> Iterator[Check]:
    """Check Pascanu's rule on the thresholds that it speaks of."""
    rates = []
    for _, runs in by_norm.groupby("threshold"):
        ratio = runs["threshold_over_norm"].median()
        if WORKS[0] <= ratio <= WORKS[1]:
            rates.append((ratio, runs["succeeded"].astype(float)))
    if rates:
        yield Check(
            f"{task}: every threshold from 1/2 to 10 times the mean norm solves it from at least "
            "half of the starts",
            all(rate.mean() >= 0.5 for _, rate in rates),
            "; ".join(f"× {ratio:.2g}: {share_in_words(rate)}" for ratio, rate in rates),
        )


def _everything(task: str, by_norm: pd.DataFrame, clip: pd.DataFrame) -> Iterator[Check]:
    """Check what is left where every gradient is clipped to one length."""
    always = by_norm.groupby("threshold").filter(lambda runs: runs["clipped"].min() >= ALWAYS)
    if always.empty:
        return
    least = always[always["threshold"] == always["threshold"].max()]
    name, rate = least["cure"].iloc[0], least["succeeded"].astype(float)
    yield Check(
        f"{task}: {name}, which clips everything, solves it from at least half of the starts",
        rate.mean() >= 0.5,
        share_in_words(rate),
    )
    if name != clip["cure"].iloc[0] and rate.any() and clip["succeeded"].astype(bool).any():
        late, soon = (runs["updates_to_success"].median() for runs in (least, clip))
        yield Check(
            f"{task}: {name}, which clips everything, takes longer than {clip['cure'].iloc[0]}",
            late > soon,
            f"{late:.0f} against {soon:.0f} updates, medians of those that got there",
        )


def _decays(task: str, decayed: pd.DataFrame, best: pd.Series) -> Iterator[Check]:
    """Check decay alone, and the strongest together with the clip."""
    for kind, runs in decayed.groupby("decay"):
        alone = runs[runs["kind"] == "none"].groupby("strength")["succeeded"]
        rates = {strength: rate.astype(float) for strength, rate in alone}
        strength, most = max(rates.items(), key=lambda item: item[1].mean())
        yield Check(
            f"{task}: {kind} alone solves it less often than the clip, at any strength",
            most.mean() < best.mean(),
            f"at best, at {strength:g}, {share_in_words(most)} against {share_in_words(best)}",
        )
        strongest = runs[(runs["kind"] != "none") & (runs["strength"] == runs["strength"].max())]
        rate = strongest["succeeded"].astype(float)
        yield Check(
            f"{task}: {strongest['cure'].iloc[0]} solves it less often than the clip alone",
            rate.mean() < best.mean(),
            f"{share_in_words(rate)} against {share_in_words(best)}",
        )


def _directions(task: str, seen: pd.DataFrame) -> Iterator[Check]:
    """Check what clipping does to the direction of the update."""
    clipped = seen[seen["varied"].isin(["nothing", "threshold"])]
    straight = clipped[clipped["kind"].isin(["none", "norm"])]["cosine"].min()
    yield Check(f"{task}: a clip by norm never turns", straight > 1 - 1e-3, f"{straight:.5f}")
    lost = seen[(seen["kind"] == "norm") & seen["diverged"].astype(bool)]
    yield Check(f"{task}: no clip by norm diverges", lost.empty, f"{len(lost)} runs did")
    by = {
        kind: runs.groupby("threshold")["cosine"].mean().min()
        for kind, runs in clipped.groupby("kind")
        if kind in ("value", "adaptive")
    }
    if "value" in by:
        claim = f"{task}: the tightest clip by value leaves no more than signs do, a cosine of .80"
        yield Check(claim, by["value"] <= OF_SIGNS + 0.02, f"{by['value']:.3f}")
    if "adaptive" in by and "value" in by:
        claim = f"{task}: the tightest clip by unit turns less than the tightest by value"
        yield Check(
            claim, by["adaptive"] > by["value"], f"{by['adaptive']:.3f} against {by['value']:.3f}"
        )


def _rates(task: str, seen: pd.DataFrame) -> Iterator[Check]:
    """Check what a clip is worth at other learning rates, if any was tried."""
    tried = seen[seen["varied"].isin(["nothing", "rate"])]
    runs = {
        (rate, kind): of.sort_values("seed")
        for (rate, kind), of in tried.groupby(["learning_rate", "kind"])
    }
    rates = sorted(tried["learning_rate"].unique())
    if len(rates) < 2:
        return
    if tried["succeeded"].notna().all():
        pairs = [
            (rate, *(runs[rate, kind]["succeeded"].astype(float) for kind in ("none", "norm")))
            for rate in rates
        ]
        yield Check(
            f"{task}: at no learning rate does the clip solve it less often than nothing does",
            all(with_.mean() >= without.mean() for _, without, with_ in pairs),
            "; ".join(
                f"{rate:g}: {int(with_.sum())} against {int(without.sum())} of {len(with_)}"
                for rate, without, with_ in pairs
            ),
        )
    ends = [float(runs[rates[-1], kind]["final_loss"].mean()) for kind in ("norm", "none")]
    yield Check(
        f"{task}: at the highest learning rate, {rates[-1]:g}, the clip ends better than nothing",
        ends[0] < ends[1],
        f"held-out loss {ends[0]:.3f} against {ends[1]:.3f}",
    )
