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

from pipeline.measuring.statistics import with_interval
from pipeline.studies.pooling.trained import PART as TRAINED
from pipeline.studies.pooling.trained import parameters, wrong_by_pooling
from pipeline.studies.pooling.worked import PART as WORKED
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say how often the maximum and the mean are wrong, by the window, and what none costs."""
    trained = rows_of(rows, "trained")
    wrong, sizes = wrong_by_pooling(trained), parameters(trained)
    by: dict[str, dict[int, str]] = {}
    for (pooling, window), of in wrong.items():
        by.setdefault(pooling, {})[window] = f"{window}×{window} {with_interval(of, 2)} %"
    pooled = "; ".join(
        f"the {pooling} over {', '.join(words)}"
        for pooling, of in by.items()
        if pooling in ("maximum", "mean")
        if (words := [said for window, said in of.items() if window > 1])
    )
    said = f"Of the digits this many are wrong, pooled by {pooled or 'neither'}."
    none, two = ("maximum", 1), ("maximum", 2)
    if none in wrong and two in wrong:
        said += (
            f" Without any pooling it is {with_interval(wrong[none], 2)} %, with {sizes[none]:,} "
            f"parameters in place of {sizes[two]:,} over 2×2: pooling saves parameters, and over "
            "larger windows it costs digits."
        )
    return said


STUDY = join(__doc__, answer, "pictures", trained=TRAINED, worked=WORKED)
