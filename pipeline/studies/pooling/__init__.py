"""What does pooling do for LeNet-5: maximum or mean, over how many pixels?

Pooling makes what a layer found insensitive to where exactly it was found. The maximum passes
error back to the one pixel that was largest, the mean to all of a window alike, so they differ in
what is learned and in what comes back to the filters below.

Expected:
    1. On digits the maximum is not worse than the mean, and windows of 2×2 are better than of 4×4,
       of which too little is left.
    2. No pooling at all costs more parameters and is not better than windows of 2×2.
    3. The worked examples come out digit for digit: a picture of 5×5 seen by a 3×3 filter, and one
       of 20×20 pooled by 10×10.

References:
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11).
    Scherer, Müller & Behnke (2010), Evaluation of pooling operations in convolutional
        architectures for object recognition, ICANN: the maximum wins.
    Boureau, Ponce & LeCun (2010), A theoretical analysis of feature pooling in visual recognition,
        ICML.
"""

from pipeline.studies.pooling.trained import PART as TRAINED
from pipeline.studies.pooling.worked import PART as WORKED
from pipeline.study import join

STUDY = join(__doc__, trained=TRAINED, worked=WORKED)
