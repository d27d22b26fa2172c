"""El Niño: 732 monthly means of the sea-surface temperature off Peru, 1950 to 2010.

Degrees Celsius, region Niño 1+2 (0–10° S, 90–80° W), ERSST.V3B. The file is that of statsmodels: a
line a year with its twelve months. Training ends with December 2000.

References:
    NOAA, National Weather Service, Climate Prediction Center,
    http://www.cpc.ncep.noaa.gov/data/indices/.
"""

from pathlib import Path

import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import Dataset, DatedSeries
from pipeline.data.sets._tables import years_of

MONTHS = "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"
FIRST, LAST_OF_TRAINING, LAST = 1950, 2000, 2010


class ElNino(Dataset[DatedSeries]):
    """The file as published."""

    def read(self, folder: Path, provenance: Provenance) -> DatedSeries:
        """Return the series, in degrees Celsius."""
        years = years_of(folder / "elnino.csv", ("YEAR", *MONTHS), FIRST, LAST)
        series_N = torch.tensor(years, dtype=torch.float64).flatten()
        cut = (LAST_OF_TRAINING + 1 - FIRST) * len(MONTHS)
        return DatedSeries(
            series_N[:cut], series_N[cut:], provenance, first=FIRST, per_year=len(MONTHS)
        )
