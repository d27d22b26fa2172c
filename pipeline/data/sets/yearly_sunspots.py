"""Yearly sunspots: the 309 means of the international number, version 1, from 1700 to 2008.

The file is that of statsmodels: a line a year under the header ``"YEAR","SUNACTIVITY"``. Training
ends with 1920, as everywhere in the literature that forecasts 1921–55 and 1956–79.

References:
    Yule (1927), On a method of investigating periodicities in disturbed series, with special
    reference to Wolfer's sunspot numbers, Philosophical Transactions of the Royal Society A 226.
    WDC-SILSO, Royal Observatory of Belgium, Brussels.
"""

from pathlib import Path

import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import Dataset, DatedSeries
from pipeline.data.sets._tables import years_of

HEADER = "YEAR", "SUNACTIVITY"
FIRST, LAST_OF_TRAINING, LAST = 1700, 1920, 2008


class YearlySunspots(Dataset[DatedSeries]):
    """The file as published."""

    def read(self, folder: Path, provenance: Provenance) -> DatedSeries:
        """Return the series, in sunspots."""
        years = years_of(folder / "sunspots.csv", HEADER, FIRST, LAST)
        series_N = torch.tensor(years, dtype=torch.float64).flatten()
        cut = LAST_OF_TRAINING + 1 - FIRST
        return DatedSeries(series_N[:cut], series_N[cut:], provenance, first=FIRST, per_year=1)
