"""What does it buy to share weights: over places of a picture, and over steps of time?

A filter that is the same everywhere has few parameters, whatever the size of what it looks at, and
what it learned at one place it knows at all. The same units with a filter of their own each, or
with a weight for every pixel, can do all that and more, but have to learn it.

Expected:
    1. A layer of W·H units on X·Y pixels has W·H·X·Y weights, with one shared filter F·F: a million
       units on 1000×1000 pixels 10^12, a hundred filters of 10×10 10^4. Local filters make as many
       connections as shared ones.
    2. LeNet-5 has 60,000 parameters and 340,908 connections, AlexNet 60,965,224 parameters in two
       groups and 62,378,344 in one.
    3. Where each of 28 steps has weights of its own, a network has more than twenty times the
       parameters of a recurrent one.
    4. A TDNN and a recurrent network have as many parameters whatever the length of what they
       read; with weights of each step's own, each step more has as many more.
    5. What shared filters see moves with the picture, exactly; that of local filters and of a dense
       layer does not, by more than a hundredth.
    6. Trained on digits, the shared form is wrong least often with few pictures and with all.
    7. On pictures that are moved the shared form is wrong less often than the dense one.
    8. A recurrent network is wrong less often than the same network with weights of each step's own
       where pictures are few.
    9. Where pictures are many, the network with weights of each step's own is wrong less often, as
       it can do all that the recurrent one can, and more. (Stated after a look.)

References:
    LeCun (1989), Generalization and network design strategies, CRG-TR-89-4, University of Toronto.
    Waibel, Hanazawa, Hinton, Shikano & Lang (1989), Phoneme recognition using time-delay neural
        networks, IEEE Transactions on Acoustics, Speech, and Signal Processing 37(3).
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86(11).
    Krizhevsky, Sutskever & Hinton (2012), ImageNet classification with deep convolutional neural
        networks, NeurIPS.
"""

from collections.abc import Mapping

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.weight_sharing import forms
from pipeline.studies.weight_sharing.counts import PART as COUNTS
from pipeline.studies.weight_sharing.equivariance import PART as EQUIVARIANCE
from pipeline.studies.weight_sharing.lengths import PART as LENGTHS
from pipeline.studies.weight_sharing.places import PART as PLACES
from pipeline.studies.weight_sharing.places import moved_furthest
from pipeline.studies.weight_sharing.time import PART as TIME
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what sharing saves, and what it does to errors over places and over time."""
    places, time = rows_of(rows, "places"), rows_of(rows, "time")
    pixels, moved = moved_furthest(places)
    sizes, by_size = forms.parameters(places), forms.wrong_by_size(time)
    said = [
        f"It saves parameters: {sizes['shared']:,} where filters are shared over places, "
        f"{sizes['dense']:,} where every pixel has a weight.",
        f"Of digits moved by {pixels} pixels the shared form then has {_wrong(moved, 'shared')} "
        f"wrong, the dense one {_wrong(moved, 'dense')}.",
    ]
    read = by_size[max(by_size)]
    if {"tied", "untied"} <= read.keys():
        said.append(
            f"Of digits that are read row by row, {_wrong(read, 'tied')} are wrong where all steps "
            f"share their weights, and {_wrong(read, 'untied')} where each has its own."
        )
    return " ".join(said)


def _wrong(by_form: Mapping[str, pd.Series], form: str) -> str:
    """Return how often a form is wrong."""
    return f"{with_interval(by_form[form], 1)} %"


STUDY = join(
    __doc__,
    answer,
    "pictures",
    counts=COUNTS,
    lengths=LENGTHS,
    equivariance=EQUIVARIANCE,
    places=PLACES,
    time=TIME,
)
