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

from pipeline.measuring.statistics import apart, with_interval
from pipeline.studies.pooling.trained import PART as TRAINED
from pipeline.studies.pooling.trained import parameters, wrong_by_pooling
from pipeline.studies.pooling.worked import PART as WORKED
from pipeline.study import join, rows_of

NONE, TWO = ("maximum", 1), ("maximum", 2)
"""No pooling, which is over windows of one pixel; and LeNet-5's own."""


def answer(rows: pd.DataFrame) -> str:
    """Say what pooling saves, at what price, and whether the maximum or the mean is better."""
    trained = rows_of(rows, "trained")
    wrong, sizes = wrong_by_pooling(trained), parameters(trained)
    said = []
    if NONE in wrong and TWO in wrong:
        said.append(
            f"It saves parameters: over windows of 2×2 LeNet-5 has {sizes[TWO]:,} and is wrong on "
            f"{with_interval(wrong[TWO], 2)} % of the digits, without pooling it has "
            f"{sizes[NONE]:,} and is wrong on {with_interval(wrong[NONE], 2)} %."
        )
    windows = sorted(window for pooling, window in wrong if window > 1 and pooling == "mean")
    for window in windows[:1]:
        maximum, mean = wrong["maximum", window], wrong["mean", window]
        seen = (
            f"over {window}×{window} {with_interval(maximum, 2)} % are wrong by the maximum, "
            f"{with_interval(mean, 2)} % by the mean"
        )
        if apart(maximum, mean) or apart(mean, maximum):
            said.append(f"It matters which: {seen}.")
        else:
            said.append(
                f"Whether the maximum or the mean is better these seeds do not tell: {seen}."
            )
    return " ".join(said)


STUDY = join(__doc__, answer, "pictures", trained=TRAINED, worked=WORKED)
