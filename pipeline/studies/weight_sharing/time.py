"""Digits read row by row: weights shared over steps, over a window, or each step's own.

The recurrent network and its untied form have as many units, the same start and the same answer,
at the last row; the TDNN's window is the whole picture; a dense network sees all rows at once.
"""

from collections.abc import Iterator
from typing import Annotated

import pandas as pd

from pipeline.measuring.classifying import PictureTraining
from pipeline.measuring.evidence import identity, ordered
from pipeline.studies.weight_sharing import forms
from pipeline.study import Claim, Given, Part, Rows, named

FORMS = "tied", "untied", "tdnn", "dense"


class OverTime(PictureTraining):
    """One form on a number of pictures; no more are used than there are."""

    form: Annotated[str, named(FORMS)]

    def measure(self, given: Given) -> Rows:
        """Train; return evaluations and norms of errors."""
        return self.learn(given).rows


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Compare tied with untied steps, seed by seed: the fewest pictures, and more."""
    sizes = forms.parameters(rows)
    if not {"tied", "untied"} <= set(sizes):
        return
    by = forms.wrong_by_size(rows)
    for size, wrong in by.items():
        if size == min(by):
            claim = f"{size:,} digits: tied steps are wrong less often than untied ones"
            yield ordered(claim, wrong["tied"], wrong["untied"], expected=8).if_missed(SLOW)
        else:
            claim = f"{size:,} digits: untied steps are wrong less often than tied ones"
            yield ordered(claim, wrong["untied"], wrong["tied"], expected=9)
    ratio = sizes["untied"] / sizes["tied"]
    claim = "untied steps have more than twenty times the parameters"
    yield identity(claim, ratio > 20, f"{ratio:.1f} times", expected=3)


SLOW = "the recurrent network learns slowest of all forms, and still gets better when it is stopped"
"""Why tied steps would be wrong as often as untied ones."""


PART = Part(
    __doc__,
    OverTime,
    expects,
    figures=(forms.TABLE, forms.CURVES),
)
