"""Example: how far is the mean of n draws from the mean of their distribution?

Expected:
    1. There is a row for each trial.
    2. From zero, a hundred draws stay within .5 of it: five standard deviations of their mean.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.measuring.evidence import below, identity
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Count, Figure, Given, Part, Row, Trial, single


class Example(Trial):
    """The mean of draws from a normal distribution about 0, of spread 1."""

    draws: Count

    def measure(self, given: Given) -> Row:
        """Return how far it is from 0, and the distance that theory expects."""
        del given
        random = np.random.default_rng((self.seed, self.draws))
        off = abs(float(random.standard_normal(self.draws).mean()))
        return {"off": off, "theory": float(np.sqrt(2 / np.pi / self.draws))}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Make the claims, of the trials with the most draws."""
    yield identity("there are rows", len(rows) > 0, f"{len(rows)} rows", expected=1)
    yield below("the mean of the most draws stays within .5", _most(rows), 0.5, expected=2)


def answer(rows: pd.DataFrame) -> str:
    """Say how far the mean is from 0 with the most draws."""
    return f"With {rows['draws'].max():,} draws {with_interval(_most(rows))} on average."


def _most(rows: pd.DataFrame) -> pd.Series:
    """Return how far the mean is from 0 with the most draws; the index is the seed."""
    return rows[rows["draws"] == rows["draws"].max()].set_index("seed")["off"]


OFF = Figure(
    name="off",
    title="How far the mean is from 0, by the number of draws",
    caption="Mean and range over seeds; dashed: theory.",
    x="draws",
    y="off",
    theory="theory",
    log_y=True,
)
STUDY = single(Part(__doc__, Example, expects, figures=(OFF,)), answer)
