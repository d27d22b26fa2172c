"""Dense, local and shared forms of one network on digits: few pictures, all of them, moved ones.

All have as many units, in one layer that is rectified, under a linear one. After training the
held-out digits are moved to the right by some pixels and judged again.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import NonNegativeInt

from pipeline.measuring import classifying
from pipeline.measuring.classifying import PictureTraining, in_percent
from pipeline.measuring.former import pictures
from pipeline.studies.weight_sharing import forms
from pipeline.study import AS_TEXT, Check, Entries, Figure, Given, Part, Rows, named

if TYPE_CHECKING:
    from lightning_modules.interfaces import Batch

FORMS = "dense", "local", "shared"


class OverPlaces(PictureTraining):
    """One form on a number of pictures; no more are used than there are."""

    form: Annotated[str, named(FORMS)]
    shifts: Annotated[list[NonNegativeInt], *AS_TEXT]
    """By how many pixels held-out digits are moved."""

    def measure(self, given: Given) -> Rows:
        """Train; return evaluations, norms of errors, and how moved digits are judged."""
        learned = self.learn(given)
        yield from learned.rows
        shape_CYX, held_out = learned.source.shape_CYX, learned.source.held_out
        for shift in self.shifts:
            moved = (_moved(batch, shape_CYX, shift) for batch in held_out())
            wrong = in_percent(learned.learner.evaluate(moved).accuracy)
            yield {"record": "moved", "shift": shift, "wrong": wrong}


def _moved(batch: "Batch", shape_CYX: Sequence[int], shift: int) -> "Batch":
    """Return the pictures moved to the right."""
    from torch.nn.functional import pad

    x_BCYX = batch.x_TBI.view(-1, *shape_CYX)
    x_BCYX = pad(x_BCYX, (shift, 0))[..., : x_BCYX.shape[-1]]
    return batch._replace(x_TBI=x_BCYX.reshape(batch.x_TBI.shape))


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare means over seeds."""
    for size, mean in forms.mean_wrong(rows).iterrows():
        seen = ", ".join(f"{form} {value:.2f} %" for form, value in mean.items())
        claim = f"{size:,} digits: shared filters are wrong least often"
        yield Check(claim, mean.idxmin() == "shared", seen)
    moved = rows[rows["record"] == "moved"]
    furthest, most = int(moved["shift"].max()), moved["train_size"].max()
    moved = moved[(moved["shift"] == furthest) & (moved["train_size"] == most)]
    mean = moved.groupby("form")["wrong"].mean()
    if {"shared", "dense"} <= set(mean.index):
        claim = f"moved by {furthest} pixels: shared filters are wrong less often than dense units"
        seen = f"{mean['shared']:.1f} and {mean['dense']:.1f} %"
        yield Check(claim, bool(mean["shared"] < mean["dense"]), seen)


def _formerly(entries: Entries) -> Entries:
    """Return the trial as it is described now: the shifts were one text."""
    shifts = [int(shift) for shift in str(entries["shifts"]).split(",")]
    return pictures(entries) | {"shifts": json.dumps(shifts)}


PART = Part(
    __doc__,
    OverPlaces,
    expects,
    formerly=_formerly,
    figures=(
        forms.TABLE,
        Figure(
            name="moved",
            title="Digits moved to the right",
            caption="Held-out digits that are wrong, mean and range over seeds, after learning "
            "from digits that were not moved.",
            x="shift",
            y="wrong",
            where={"record": "moved"},
            hue="form",
            column="train_size",
            labels={**classifying.LABELS, "shift": "pixels"},
        ),
        forms.CURVES,
        classifying.errors("form", column="layer"),
    ),
)
