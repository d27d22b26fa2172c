"""Dense, local and shared forms of one network on digits: few pictures, all of them, moved ones.

All have as many units, in one layer that is rectified, under a linear one. After training the
held-out digits are moved to the right by some pixels and judged again.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import NonNegativeInt
from torch.nn.functional import pad

from lightning_modules.interfaces import Batch
from pipeline.measuring import judged
from pipeline.measuring.classifying import DATA, learn, wrong
from pipeline.studies.weight_sharing import forms
from pipeline.study import Check, Figure, Rows, Study, Trial


class Params(forms.Forms):
    """Every form, and by how many pixels digits are moved."""

    shifts: list[NonNegativeInt]


def trials(p: Params) -> Iterator[Trial]:
    """Every form on every number of pictures under every seed."""
    for trial in forms.trials(p):
        yield trial | {"shifts": ",".join(map(str, p.shifts))}


def measure(form: str, shifts: str, data: Any, scratch: Path, **classifier: Any) -> Rows:
    """Train one form; return its evaluations, norms of errors, and how it judges moved digits."""
    del form
    learned = learn(data[DATA], scratch=scratch, **classifier)
    yield from learned.rows
    for shift in map(int, shifts.split(",")):
        moved = (_moved(batch, learned.shape_CYX, shift) for batch in learned.source.held_out())
        yield {"record": "moved", "shift": shift, "wrong": wrong(learned.learner.evaluate(moved))}


def _moved(batch: Batch, shape_CYX: Sequence[int], shift: int) -> Batch:
    """Return the pictures moved to the right."""
    x_BCYX = batch.x_TBI.view(-1, *shape_CYX)
    x_BCYX = pad(x_BCYX, (shift, 0))[..., : x_BCYX.shape[-1]]
    return batch._replace(x_TBI=x_BCYX.reshape(batch.x_TBI.shape))


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare means over seeds."""
    for size, mean in forms.wrong(rows).iterrows():
        seen = ", ".join(f"{form} {value:.2f} %" for form, value in mean.items())
        claim = f"{size:,} digits: shared filters are wrong least often"
        yield Check(claim, mean.idxmin() == "shared", seen)
    moved = rows[rows["record"] == "moved"]
    furthest, most = int(moved["shift"].max()), moved["train_size"].max()
    moved = moved[(moved["shift"] == furthest) & (moved["train_size"] == most)]
    mean = moved.groupby("form")["wrong"].mean()
    claim = f"moved by {furthest} pixels: shared filters are wrong less often than dense units"
    seen = f"{mean['shared']:.1f} and {mean['dense']:.1f} %"
    yield Check(claim, bool(mean["shared"] < mean["dense"]), seen)


PART = Study(
    __doc__,
    Params,
    trials,
    measure,
    expects,
    data=(DATA,),
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
            labels={**judged.LABELS, "shift": "pixels"},
        ),
        forms.CURVES,
        judged.errors("form", column="layer"),
    ),
)
