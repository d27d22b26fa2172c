"""What does pooling do for LeNet-5: maximum or mean, over how many pixels?

Pooling makes what a layer found insensitive to where exactly it was found. The maximum passes
error back to the one pixel that was largest, the mean to all of a window alike, so they differ in
what is learned and in what comes back to the filters below.

Expected:
    1. On digits the maximum is not worse than the mean, by 0.2 % of them (two standard errors of
       how many of 10,000 are wrong), over windows of 2×2 and of 3×3.
    2. Windows of 2×2 are better than of 4×4, of which too little is left.
    3. No pooling at all costs more parameters and is not better than windows of 2×2, by 0.2 %.
    4. The worked examples come out digit for digit: a picture of 5×5 seen by a 3×3 filter, and one
       of 20×20 pooled by 10×10.

References:
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11).
    Scherer, Müller & Behnke (2010), Evaluation of pooling operations in convolutional
        architectures for object recognition, ICANN: the maximum wins.
    Boureau, Ponce & LeCun (2010), A theoretical analysis of feature pooling in visual recognition,
        ICML.
"""

import pandas as pd

from pipeline.measuring.statistics import apart, difference, listed, with_interval
from pipeline.studies.pooling.trained import PART as TRAINED
from pipeline.studies.pooling.trained import parameters, wrong_by_pooling
from pipeline.studies.pooling.worked import PART as WORKED
from pipeline.study import join, rows_of

MAXIMUM, MEAN = "maximum", "mean"
NONE = MAXIMUM, 1
"""No pooling, which is over windows of one pixel; there the mean is the same network."""
Wrong = dict[tuple[str, int], pd.Series]


def answer(rows: pd.DataFrame) -> str:
    """Say which pooling is best, what it saves at what price, and how far the others are behind."""
    trained = rows_of(rows, "trained")
    wrong, sizes = wrong_by_pooling(trained), parameters(trained)
    pooled = {of: w for of, w in wrong.items() if of[0] in (MAXIMUM, MEAN) and of[1] > 1}
    best, *others = sorted(pooled, key=lambda of: pooled[of].mean())
    rivals = [of for of in others if not apart(pooled[best], pooled[of])]
    unsure = f", though not surely less often than {len(rivals)} of the {len(others)} others"
    said = [
        f"Of maximum and mean pooling, the {_called(best)} is wrong least often"
        f"{unsure if rivals else ''}: with it LeNet-5 has {sizes[best]:,} "
        f"parameters and misreads {with_interval(wrong[best], 2)} % of the "
        "test digits"
    ]
    if NONE in wrong:
        said[0] += (
            f", without pooling {sizes[NONE]:,} and {with_interval(wrong[NONE], 2)} % "
            f"({_price(wrong[best], wrong[NONE])})"
        )
    both = [k for name, k in pooled if name == MAXIMUM and (MEAN, k) in pooled]
    said += _maximum_and_mean(pooled, both) + _larger(pooled)
    return ". ".join(said) + "."


def _called(pooling: tuple[str, int]) -> str:
    """Return a pooling as words."""
    name, window = pooling
    return f"{name} over windows of {window}×{window} pixels"


def _price(pooled: pd.Series, none: pd.Series) -> str:
    """Return whether pooling costs digits."""
    if apart(none, pooled):
        return f"pooling costs {difference(none, pooled)} points"
    if apart(pooled, none):
        return f"pooling gains {difference(pooled, none)} points"
    return "which of the two misreads fewer is not decided"


def _maximum_and_mean(wrong: Wrong, windows: list[int]) -> list[str]:
    """Return at which windows which of the two is better."""
    said = []
    for better, worse in ((MAXIMUM, MEAN), (MEAN, MAXIMUM)):
        by = {k: (wrong[better, k], wrong[worse, k]) for k in windows}
        seen = [f"{difference(*of)} points over {k}×{k}" for k, of in by.items() if apart(*of)]
        if seen:
            said.append(
                f"Over the same windows the {worse} misreads more digits than the {better}, by "
                f"{listed(seen)}"
            )
    pairs = {k: (wrong[MAXIMUM, k], wrong[MEAN, k]) for k in windows}
    open_ = [f"{k}×{k}" for k, (a, b) in pairs.items() if not (apart(a, b) or apart(b, a))]
    if open_:
        said.append(f"Which of maximum and mean is better over {listed(open_)} is not decided")
    return said


def _larger(wrong: Wrong) -> list[str]:
    """Return how often the maximum is wrong, window by window."""
    seen = [
        f"{with_interval(of, 2)} % over {k}×{k}"
        for (name, k), of in wrong.items()
        if name == MAXIMUM
    ]
    return [f"The maximum misreads {listed(seen)}"] if len(seen) > 1 else []


STUDY = join(__doc__, answer, "pictures", trained=TRAINED, worked=WORKED)
