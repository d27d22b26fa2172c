"""Dense, local and shared forms of one network on digits: few pictures, all of them, moved ones.

All have as many units, in one layer that is rectified, under a linear one. After training the
held-out digits are moved to the right by some pixels and judged again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import NonNegativeInt
from torch import nn

from lightning_modules.training.backprop import BackpropLearner
from pipeline.classifying import DATA, Learned, learn
from pipeline.studies.weight_sharing import forms
from pipeline.study import Check, Figure, Rows, Study, Trial
from pipeline.tasks.images import Images


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
        yield {"record": "moved", "shift": shift, "wrong": _moved(learned, shift)}


@torch.no_grad()
def _moved(learned: Learned, shift: int) -> float:
    """Return how many of a hundred held-out digits, moved to the right, are judged wrong."""
    learner, source, wrong, there = learned.learner, learned.source, 0, 0
    assert isinstance(learner, BackpropLearner)
    assert isinstance(source, Images)
    for batch in source.held_out():
        x_BCYX = batch.x_TBI.view(-1, *source.shape_CYX)
        moved_BCYX = nn.functional.pad(x_BCYX, (shift, 0))[..., : x_BCYX.shape[-1]]
        z_TBO = learner.network(moved_BCYX.reshape(batch.x_TBI.shape))
        wrong += int((z_TBO.argmax(-1) != batch.y_TB).sum())
        there += len(x_BCYX)
    return 100 * wrong / there


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare means over seeds."""
    for size, wrong in forms.wrong(rows).iterrows():
        seen = ", ".join(f"{form} {value:.2f} %" for form, value in wrong.items())
        claim = f"{size:,} digits: shared filters are wrong least often"
        yield Check(claim, wrong.idxmin() == "shared", seen)
    moved = rows[rows["record"] == "moved"]
    furthest, most = int(moved["shift"].max()), moved["train_size"].max()
    moved = moved[(moved["shift"] == furthest) & (moved["train_size"] == most)]
    wrong = moved.groupby("form")["wrong"].mean()
    claim = f"moved by {furthest} pixels: shared filters are wrong less often than dense units"
    seen = f"{wrong['shared']:.1f} and {wrong['dense']:.1f} %"
    yield Check(claim, bool(wrong["shared"] < wrong["dense"]), seen)


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
            labels={"shift": "pixels", "wrong": "wrong, %", "train_size": "digits"},
        ),
        forms.CURVES,
        Figure(
            name="error",
            title="Error that comes back to each layer",
            caption="‖∂L/∂h‖ of its outputs over a batch, mean since the evaluation before.",
            x="step",
            y="value",
            where={"probe": "error_flow"},
            hue="form",
            column="layer",
            log_y=True,
            labels={"step": "batches", "value": "‖∂L/∂h‖"},
        ),
    ),
)
