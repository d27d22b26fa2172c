"""Example: the Nile's flow a year at Aswan, in 10^8 m³; your data here.

The file is that of statsmodels: from 1871 to 1970 a line a year, under the header ``year,volume``.
Training ends with 1940.

References:
    Cobb (1978), The problem of the Nile: conditional solution to a change-point problem,
        Biometrika 65(2).
"""

from pathlib import Path

import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import Dataset, DatedSeries
from pipeline.data.sets._tables import years_of

HEADER = "year", "volume"
FIRST, LAST_OF_TRAINING, LAST = 1871, 1940, 1970


class Example(Dataset[DatedSeries]):
    """The file as published."""

    def read(self, folder: Path, provenance: Provenance) -> DatedSeries:
        """Return the series; BadFileError, in one line, where the file is not what it should be."""
        years = years_of(folder / "nile.csv", HEADER, FIRST, LAST)
        series_N = torch.tensor(years, dtype=torch.float64).flatten()
        cut = LAST_OF_TRAINING + 1 - FIRST
        return DatedSeries(series_N[:cut], series_N[cut:], provenance, first=FIRST, per_year=1)
