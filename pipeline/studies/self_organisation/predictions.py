"""What maps of digits are held to: where they began, each other, and what has no plane."""

from collections.abc import Iterator

import pandas as pd

from pipeline.measuring.evidence import below, every, monotone, ordered, within
from pipeline.study import Claim

BATCH, K_MEANS, PLANE = "batch_som", "k_means", "principal_plane"
BASELINES = K_MEANS, PLANE
MNIST, GOAL, NEAR = 60_000, 0.1, 0.1
"""All that there is of it; what topographic errors have to be below; what a quantisation error may
be off by from what was seen beforehand."""
SIDE = 20
"""Rows and columns of the map that was seen beforehand."""
SEEN = {0.5: 4.87, 1.0: 5.19, 1.5: 5.42}
"""Quantisation error of 20×20 units on a rectangular grid in 40 batches, by the last radius."""


def ends_of(rows: pd.DataFrame, *methods: str) -> pd.DataFrame:
    """Return how runs ended, of these methods where some are given."""
    ends = rows[rows["record"] == "end"]
    return ends[ends["method"].isin(methods)] if methods else ends


NARROW = (
    "the goal is of a last radius that is not too narrow: the two errors pull against each other"
)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare maps with where they began, with each other, and with what has no plane."""
    ends = ends_of(rows)
    maps = ends[~ends["method"].isin(BASELINES)]
    whole = bool((ends["pictures"] == MNIST).all())
    yield from _falls(rows)
    yield from _by_radius(maps, whole)
    if whole:
        yield from _goals(maps)
    yield from _beside(ends, maps)


def _falls(rows: pd.DataFrame) -> Iterator[Claim]:
    """Yield that the quantisation error falls from the start to the end of the narrowest map."""
    curves = rows[rows["record"] == "curve"]
    claims = []
    for (name, grid), of in curves.groupby(["method", "grid"], sort=False):
        narrow = of[of["last_radius"] == of["last_radius"].min()]
        by = narrow.sort_values("pass").groupby("seed")["held_out"]
        first, last = by.first(), by.last()
        claims.append(ordered(f"{name}, {grid}", last, first, expected=8))
    if claims:
        yield every("the quantisation error falls, from digits drawn at random on", claims)


def _by_radius(maps: pd.DataFrame, whole: bool) -> Iterator[Claim]:
    """Yield what a wider last radius does to both errors, of maps in batches."""
    up, down = [], []
    for (name, grid), of in maps.groupby(["method", "grid"], sort=False):
        if of["last_radius"].nunique() < 2:
            continue
        label = f"{name}, {grid}"
        by = of.pivot_table(index="seed", columns="last_radius", values="error")
        up.append(monotone(label, by, expected=9))
        for many, at in of.groupby("neighbours"):
            by = at.pivot_table(index="seed", columns="last_radius", values="topographic")
            down.append(monotone(f"{label}, {many:g} neighbours", by, falls=True, expected=9))
    if up:
        yield every("a wider last radius raises the quantisation error", up)
        yield every("and lowers the topographic one", down)
    if whole:
        own = maps[(maps["method"] == BATCH) & (maps["grid"] == "rectangular")]
        own = own[(own["rows"] == SIDE) & (own["columns"] == SIDE)].groupby("last_radius")
        found = {float(str(k)): of.groupby("seed")["error"].mean() for k, of in own}
        found = {radius: error for radius, error in found.items() if radius in SEEN}
        claims = [
            within(f"σ = {radius}", error, SEEN[radius] - NEAR, SEEN[radius] + NEAR, expected=9)
            for radius, error in found.items()
        ]
        if claims:
            told = "/".join(f"{value:g}" for value in SEEN.values())
            yield every(
                f"rectangular in batches: errors of {told} ± {NEAR} at σ of .5/1/1.5", claims
            )


def _goals(maps: pd.DataFrame) -> Iterator[Claim]:
    """Yield whether topographic errors are as low as asked at the widest last radius."""
    for (name, grid), of in maps.groupby(["method", "grid"], sort=False):
        widest = of[of["last_radius"] == of["last_radius"].max()]
        claims = [
            below(f"{many:g} neighbours", at.set_index("seed")["topographic"], GOAL, expected=10)
            for many, at in widest.groupby("neighbours")
        ]
        sigma = f"{of['last_radius'].max():g}"
        text = f"{name}, {grid}, σ down to {sigma}: topographic errors below {GOAL:.0%}"
        yield every(text, claims).if_missed(NARROW)


def _beside(ends: pd.DataFrame, maps: pd.DataFrame) -> Iterator[Claim]:
    """Yield where maps stand between what has no plane and what is nothing but one."""
    mean = maps[maps["grid"] == "rectangular"].groupby("seed")["error"].mean()
    by = {name: of.groupby("seed")["error"].mean() for name, of in ends.groupby("method")}
    claims = []
    if K_MEANS in by:
        claims.append(ordered("above k-means", by[K_MEANS], mean, expected=11))
    if PLANE in by:
        claims.append(ordered("below the plane", mean, by[PLANE], expected=11))
    if claims:
        yield every("maps' quantisation errors are above k-means' and below the plane's", claims)
    off = [
        within(
            f"{many:g} neighbours",
            (of["scrambled"] - of["chance"]).groupby(of["seed"]).mean(),
            -0.02,
            0.02,
            expected=3,
        )
        for many, of in maps.groupby("neighbours")
    ]
    yield every("scrambled maps of digits have the topographic error of chance", off)
