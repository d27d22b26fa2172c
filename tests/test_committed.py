"""What is committed of scale standard: pages that are what their rows and the code make them."""

import shutil
from pathlib import Path

import pytest

from pipeline.reporting import report
from pipeline.studies import STUDIES

ROOT = Path(__file__).parents[1]
TABLES = sorted((ROOT / "rows" / "standard").glob("*.parquet"))
OWED: set[str] = set()
"""Studies that have not been run at scale standard yet: who runs one takes it out of here."""


def test_every_study_has_its_rows_and_its_page_committed_but_for_what_is_owed():
    committed = [table.stem for table in TABLES]
    assert committed == [study for study in STUDIES if study not in OWED]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_the_page_is_built_from_the_committed_rows_and_says_if_they_are_stale(
    table: Path, tmp_path: Path
):
    rows = tmp_path / "rows" / "standard"
    rows.mkdir(parents=True)
    shutil.copy(table, rows)
    built = report.build(table.stem, "standard", tmp_path)
    committed = ROOT / "reports" / "standard" / table.stem
    files = sorted(p.relative_to(built) for p in built.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(committed) for p in committed.rglob("*") if p.is_file())
    for file in files:
        same = (built / file).read_bytes() == (committed / file).read_bytes()
        assert same, f"{file} is not up to date: python -m pipeline report, at scale standard"
