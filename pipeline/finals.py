"""How training runs ended, from the rows of their evaluations."""

import math
from collections.abc import Sequence

import pandas as pd


def ends(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the last row of each run; one that diverged has an infinite held-out loss.

    ``by`` names the columns that tell the runs apart.
    """
    last = rows[rows["step"] == rows.groupby(list(by))["step"].transform("max")]
    loss = pd.to_numeric(last["held_out_loss"])
    lost = last["diverged"].astype(bool) | loss.isna()
    return last.assign(held_out_loss=loss.where(~lost, math.inf))
