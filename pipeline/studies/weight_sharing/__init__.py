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

from typing import NamedTuple

import pandas as pd

from pipeline.measuring.statistics import apart, difference, listed, with_interval
from pipeline.studies.weight_sharing import forms
from pipeline.studies.weight_sharing.counts import PART as COUNTS
from pipeline.studies.weight_sharing.equivariance import PART as EQUIVARIANCE
from pipeline.studies.weight_sharing.lengths import PART as LENGTHS
from pipeline.studies.weight_sharing.places import PART as PLACES
from pipeline.studies.weight_sharing.places import moved_furthest
from pipeline.studies.weight_sharing.time import PART as TIME
from pipeline.study import join, rows_of


class Rivals(NamedTuple):
    """A form that shares weights and one that does not."""

    part: str
    shares: str
    other: str
    words: str


RIVALS = (
    Rivals("places", "shared", "local", "with shared than with local filters"),
    Rivals("places", "shared", "dense", "with shared filters than with dense units"),
    Rivals("time", "tied", "untied", "with shared steps than with steps of their own weights"),
)


WITH = {
    "places": {
        "shared": "with filters shared over places",
        "local": "with filters of each place's own",
        "dense": "with dense units",
    },
    "time": {"tied": "with steps that share", "untied": "with weights of each step's own"},
}
"""How many parameters there are with each form."""


def answer(rows: pd.DataFrame) -> str:
    """Say what sharing saves, and what it does to errors over places and over time."""
    of_parts = {part: rows_of(rows, part) for part in ("places", "time")}
    compared, fewer = 0, 0
    more = []
    for rivals in RIVALS:
        lost = []
        for size, wrong in forms.wrong_by_size(of_parts[rivals.part]).items():
            if {rivals.shares, rivals.other} <= wrong.keys():
                mine, other = wrong[rivals.shares], wrong[rivals.other]
                compared, fewer = compared + 1, fewer + apart(mine, other)
                if apart(other, mine):
                    lost.append(f"{difference(other, mine)} points, {size:,} learned from")
        more += [f"{rivals.words} ({', '.join(lost)})"] if lost else []
    said = [
        f"Sharing weights saves parameters ({_saved(of_parts)}), "
        + (f"and lowers the error in {fewer}" if fewer else "but surely lowers the error in none")
        + f" of {compared} comparisons on digits that are not moved"
    ]
    if more:
        said.append(f"More of these are wrong {'; '.join(more)}")
    return ". ".join([*said, _moved(of_parts["places"])]) + "."


def _saved(of_parts: dict[str, pd.DataFrame]) -> str:
    """Return how many parameters each form has."""
    said = []
    for part, rows in of_parts.items():
        sizes = forms.parameters(rows)
        counts = [f"{sizes[f]:,} {words}" for f, words in WITH[part].items() if f in sizes]
        said.append(listed(counts))
    return "; ".join(said)


def _moved(places: pd.DataFrame) -> str:
    """Return how moved digits are read, and whether that is the work of sharing."""
    names = {"shared": "shared filters", "local": "local filters", "dense": "dense units"}
    *few, most = sorted(places["train_size"].dropna().astype(int).unique())
    pixels, wrong = moved_furthest(places)
    each = [f"{name} {with_interval(wrong[f], 1)} %" for f, name in names.items() if f in wrong]
    said = f"Moved by {pixels} pixels, with {most:,} learned from, digits are wrong: {listed(each)}"
    if not names.keys() <= wrong.keys():
        return said
    shared, local, dense = (wrong[form] for form in names)
    if apart(local, dense) and not apart(shared, local) and not apart(local, shared):
        said += (
            f": looking at small places saves {difference(local, dense, 1)} points without sharing,"
            f" and that sharing saves more is not decided ({difference(shared, local, 1)})"
        )
    for size in (*few, most):
        _, of = moved_furthest(places[places["train_size"] == size])
        for a, b, does in (("shared", "local", "saves"), ("local", "shared", "costs")):
            if {a, b} <= of.keys() and apart(of[a], of[b]):
                by = difference(of[a], of[b], 1)
                said += f"; with {size:,} learned from, sharing itself {does} {by} points"
    return said


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
