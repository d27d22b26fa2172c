"""Digits read row by row: weights shared over steps, over a window, or each step's own.

The recurrent network and its untied form have as many units, the same start and the same answer,
at the last row; the TDNN's window is the whole picture; a dense network sees all rows at once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.measuring.classifying import DATA, learn
from pipeline.studies.weight_sharing import forms
from pipeline.study import Check, Rows, Study


def measure(form: str, data: Any, scratch: Path, **classifier: Any) -> Rows:
    """Train one form and return its evaluations and norms of errors."""
    del form
    return learn(data[DATA], scratch=scratch, **classifier).rows


def expects(rows: pd.DataFrame) -> Iterator[Check]:
    """Compare means over seeds, the fewest pictures first."""
    by = forms.wrong(rows)
    few, wrong = by.index[0], by.iloc[0]
    claim = f"{few:,} digits: tied steps are wrong less often than untied ones"
    seen = f"{wrong['tied']:.2f} and {wrong['untied']:.2f} %"
    yield Check(claim, bool(wrong["tied"] < wrong["untied"]), seen)
    parameters = forms.ends(rows).groupby("form")["parameters"].first()
    ratio = parameters["untied"] / parameters["tied"]
    claim = "untied steps have more than twenty times the parameters"
    yield Check(claim, bool(ratio > 20), f"{ratio:.1f} times")


PART = Study(
    __doc__,
    forms.Forms,
    forms.trials,
    measure,
    expects,
    data=(DATA,),
    figures=(forms.TABLE, forms.CURVES),
)
