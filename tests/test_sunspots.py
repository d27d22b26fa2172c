"""What is read from the table of sunspots, and that no damaged table is read as data."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.data.embedded import YEARLY_SUNSPOTS
from pipeline.data.provenance import folder_of
from pipeline.data.sets import DATASETS
from pipeline.data.sets._base import Series
from pipeline.data.sources import fetch
from pipeline.errors import UserError
from tests.test_datasets import seal

FILE = "sunspots_monthly.dat"
TABLE = """\
             MONTHLY MEAN
Year    Jan   Feb
------------------
{}
2008    16.0  17.5
2009     1.5
------------------
Note:  Data are preliminary after Dec 08.
"""
YEARS = [f"{year}   {year - 1999:5.1f} {year - 1998.5:5.1f}" for year in range(1999, 2008)]


def written(lines: list[str], root: Path) -> Series:
    """Return the series of a table of these years, 2008 and a part of 2009."""
    folder_of("sunspots", root).mkdir()
    (root / "sunspots" / FILE).write_text(TABLE.format("\n".join(lines)))
    seal("sunspots", root)
    return DATASETS["sunspots"]().load(root)


def test_the_table_is_read_year_by_year_and_cut_in_order_without_what_is_preliminary(
    tmp_path: Path,
):
    series = written([*YEARS[:2], "", *YEARS[2:]], tmp_path)
    values_N = torch.cat([series.train_N, series.held_out_N])
    expected = [v for year in range(9) for v in (year, year + 0.5)]
    assert values_N.tolist() == [*expected, 16.0, 17.5]
    assert series.held_out_N.tolist() == [16.0, 17.5]
    assert values_N.dtype == torch.float64


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda lines: [*lines[:3], *lines[4:]], "year 2003 comes after 2001"),
        (lambda lines: [*lines[:3], "2002  3.0", *lines[4:]], "year 2002 has 1 values, not 2"),
        (lambda lines: [*lines[:8], "2007  8.0   n/a"], "line 12 is not a year and its values"),
        (lambda lines: lines[-3:], "8 values, too few to be cut in two"),
    ],
)
def test_a_damaged_table_is_named_with_what_is_wrong_and_the_remedy(
    tmp_path: Path, damage: Callable[[list[str]], list[str]], says: str
):
    with pytest.raises(UserError, match=says) as caught:
        written(damage(YEARS), tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'sunspots' / FILE}: ")
    assert message.endswith("delete it and fetch again: python -m pipeline fetch sunspots")
    assert "\n" not in message


def test_the_yearly_series_is_read_as_the_library_has_it(tmp_path: Path):
    from statsmodels.datasets import sunspots

    folder_of("sunspots", tmp_path).mkdir()
    assert YEARLY_SUNSPOTS.write(tmp_path / "sunspots") == 309
    seal("sunspots", tmp_path)
    series = DATASETS["sunspots"]().load(tmp_path)
    table: Any = sunspots.load_pandas().data
    theirs = table["SUNACTIVITY"].tolist()
    assert torch.cat([series.train_N, series.held_out_N]).tolist() == theirs
    assert len(series.held_out_N) == 31
    assert YEARLY_SUNSPOTS.title == "statsmodels' yearly sunspots"


@pytest.mark.skipif(
    "DATA_MIRROR" not in os.environ, reason="DATA_MIRROR names no copy of the real data"
)
def test_the_real_sunspots_are_260_years_of_months_from_1749_to_2008(tmp_path: Path):
    assert fetch("sunspots", tmp_path).count == 3120
    series = DATASETS["sunspots"]().load(tmp_path)
    values_N = torch.cat([series.train_N, series.held_out_N])
    assert len(values_N) == 260 * 12
    assert values_N[:3].tolist() == [58.0, 62.6, 70.0]
    assert values_N[-3:].tolist() == [2.9, 4.1, 0.8]
    assert values_N.max() == 253.8, "October 1957, the highest of all months"
    assert not series.provenance.embedded
