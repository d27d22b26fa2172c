"""Tables with a line a year, as statsmodels has them, read or refused in one line."""

import csv
import io
import math
from pathlib import Path

from pipeline.data.sets._base import BadFileError
from pipeline.data.sets._files import text_of


def years_of(path: Path, header: tuple[str, ...], first: int, last: int) -> list[list[float]]:
    """Return what a file has of each year from ``first`` to ``last``, the years left out.

    BadFileError where the header or a year is another, or a value is no number.
    """
    table = csv.reader(io.StringIO(text_of(path), newline=""), strict=True)
    try:
        found, *rows = list(table) or [[]]
    except csv.Error as error:
        raise BadFileError(f"{path}: line {table.line_num}: {error}") from None
    if tuple(found) != header:
        raise BadFileError(f"{path}: its header is {','.join(found)!r}, not {','.join(header)!r}")
    years: list[list[float]] = []
    for year, row in enumerate(rows, first):
        values = _numbers(row)
        if len(values) != len(header) or values[0] != year:
            raise BadFileError(f"{path}: line {len(years) + 2} is not {year} and its values")
        years.append(values[1:])
    if first + len(years) - 1 != last:
        raise BadFileError(f"{path}: {len(years)} years, not those from {first} to {last}")
    return years


def _numbers(row: list[str]) -> list[float]:
    """Return the fields as finite numbers, none where one isn't."""
    try:
        values = [float(field) for field in row]
    except ValueError:
        return []
    return values if all(map(math.isfinite, values)) else []
