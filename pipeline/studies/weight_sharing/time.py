"""Digits read row by row: weights shared over steps, over a window, or each step's own.

The recurrent network and its untied form have as many units, the same start and the same answer,
at the last row; the TDNN's window is the whole picture; a dense network sees all rows at once.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd

from pipeline.measuring.classifying import PictureTraining
from pipeline.measuring.former import pictures
from pipeline.studies.weight_sharing import forms
from pipeline.study import Check, Given, Part, Rows, named

FORMS = "tied", "untied", "tdnn", "dense"


class OverTime(PictureTraining):
    """One form on a number of pictures; no more are used than there are."""

    form: Annotated[str, named(FORMS)]

    def measure(self, given: Given) -> Rows:
        """Train; return evaluations and norms of errors."""
        return self.learn(given).rows


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare means over seeds, the fewest pictures first."""
    by = forms.mean_wrong(rows)
    if not {"tied", "untied"} <= set(by):
        return
    few, wrong = by.index[0], by.iloc[0]
    claim = f"{few:,} digits: tied steps are wrong less often than untied ones"
    seen = f"{wrong['tied']:.2f} and {wrong['untied']:.2f} %"
    yield Check(claim, bool(wrong["tied"] < wrong["untied"]), seen)
    parameters = forms.last_evaluations(rows).groupby("form")["parameters"].first()
    ratio = parameters["untied"] / parameters["tied"]
    claim = "untied steps have more than twenty times the parameters"
    yield Check(claim, bool(ratio > 20), f"{ratio:.1f} times")


PART = Part(
    __doc__,
    OverTime,
    expects,
    formerly=pictures,
    figures=(forms.TABLE, forms.CURVES),
)
