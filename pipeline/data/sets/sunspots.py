"""Sunspots: 3,120 monthly means of the international number, January 1749 to December 2008.

The file is a table of fixed width between a header and a footer: a line for each year, with its
twelve values, or one if the means are yearly. Its footer calls what comes after December 2008
preliminary; that is left out. There is no official split; the series is cut in order, 90 % / 10 %.
(February 1824 was not observed; the file has an interpolated value.)

References:
    WDC-SILSO, Royal Observatory of Belgium, Brussels: international sunspot number, version 1.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, Series

LAST_YEAR = 2008
YEAR = re.compile(r"\d{4}\b")
LINE = re.compile(r"\d{4}(\s+\d+(\.\d+)?)+\s*$")


class Sunspots(Dataset[Series]):
    """The file as published, or another series in its form."""

    def read(self, folder: Path, provenance: Provenance) -> Series:
        """Return the series in order, in sunspots."""
        path = folder / "sunspots_monthly.dat"
        values = [value for year in _years(path) for value in year]
        if len(values) < 20:
            raise BadFileError(f"{path}: {len(values)} values, too few to be cut in two")
        series_N = torch.tensor(values, dtype=torch.float64)
        cut = len(series_N) * 90 // 100
        return Series(series_N[:cut], series_N[cut:], provenance)


def _years(path: Path) -> list[list[float]]:
    """Return the values of each year; BadFileError if one lacks some or is out of order."""
    kept = [row for row in _rows(path) if row[0] <= LAST_YEAR]
    for (before, _), (year, _) in itertools.pairwise(kept):
        if year != before + 1:
            raise BadFileError(f"{path}: year {year} comes after {before}")
    for year, values in kept:
        wanted = len(kept[0][1])
        if len(values) != wanted:
            raise BadFileError(f"{path}: year {year} has {len(values)} values, not {wanted}")
    return [values for _, values in kept]


def _rows(path: Path) -> Iterator[tuple[int, list[float]]]:
    """Iterate over the lines that begin with a year; BadFileError where something else follows."""
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), 1):
        if YEAR.match(line):
            if not LINE.match(line):
                raise BadFileError(f"{path}: line {number} is not a year and its values")
            year, *values = line.split()
            yield int(year), list(map(float, values))
