"""Dense, local and shared forms of one network on digits: few pictures, all of them, moved ones.

All have as many units, in one layer that is rectified, under a linear one. After training the
test digits are moved to the right by some pixels and judged again.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from pipeline.measuring import classifying
from pipeline.measuring.classifying import PictureTraining, in_percent
from pipeline.measuring.evidence import every, ordered
from pipeline.studies.weight_sharing import forms
from pipeline.study import AS_TEXT, Claim, Figure, Given, Part, Rows, Whole, named

if TYPE_CHECKING:
    from lightning_modules.interfaces import Batch

FORMS = "dense", "local", "shared"


class OverPlaces(PictureTraining):
    """One form on a number of pictures; no more are used than there are."""

    form: Annotated[str, named(FORMS)]
    shifts: Annotated[list[Whole], *AS_TEXT]
    """By how many pixels test digits are moved."""

    def measure(self, given: Given) -> Rows:
        """Train; return evaluations, norms of errors, and how moved digits are judged."""
        learned = self.learn(given)
        yield from learned.rows
        shape_CYX, test = learned.source.shape_CYX, learned.source.test
        for shift in self.shifts:
            moved = (_moved(batch, shape_CYX, shift) for batch in test())
            wrong = in_percent(learned.learner.evaluate(moved).accuracy)
            yield {"record": "moved", "shift": shift, "wrong": wrong}


def _moved(batch: "Batch", shape_CYX: Sequence[int], shift: int) -> "Batch":
    """Return the pictures moved to the right."""
    from torch.nn.functional import pad

    x_BCYX = batch.x_TBI.view(-1, *shape_CYX)
    x_BCYX = pad(x_BCYX, (shift, 0))[..., : x_BCYX.shape[-1]]
    return batch._replace(x_TBI=x_BCYX.reshape(batch.x_TBI.shape))


FEW_FILTERS = (
    "the shared form's many units see with eight filters between them, which are few features of a "
    "digit; digits in the middle of a picture ask for little that holds everywhere"
)
"""Why shared filters would not be wrong least often on digits where they were."""


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare the shared form with the others, seed by seed."""
    for size, wrong in forms.wrong_by_size(rows).items():
        others = [
            ordered(f"shared compared with {form}", wrong["shared"], wrong[form], expected=6)
            for form in ("dense", "local")
            if form in wrong and "shared" in wrong
        ]
        if others:
            claim = f"{size:,} digits: shared filters are wrong least often"
            yield every(claim, others).if_missed(FEW_FILTERS)
    furthest, moved = moved_furthest(rows)
    if {"shared", "dense"} <= set(moved):
        claim = f"moved by {furthest} pixels: shared filters are wrong less often than dense units"
        yield ordered(claim, moved["shared"], moved["dense"], expected=7)


def moved_furthest(rows: pd.DataFrame) -> tuple[int, dict[str, pd.Series]]:
    """Return the most pixels that digits are moved by, and what each form then has wrong, by seed.

    The forms are those that learned from the most pictures.
    """
    moved = rows[rows["record"] == "moved"]
    furthest, most = int(moved["shift"].max()), moved["train_size"].max()
    moved = moved[(moved["shift"] == furthest) & (moved["train_size"] == most)].set_index("seed")
    return furthest, {str(form): of["wrong"] for form, of in moved.groupby("form", sort=False)}


PART = Part(
    __doc__,
    OverPlaces,
    expects,
    figures=(
        forms.TABLE,
        Figure(
            name="moved",
            title="Digits moved to the right",
            caption="Test digits that are wrong, mean and range over seeds, after learning "
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
