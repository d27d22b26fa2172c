"""A study run once at a size of seconds, with what each of its trials used."""

import functools
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_modules.registry import watch
from pipeline.fingerprint import Fingerprints
from pipeline.study import Check, Figure, Study, Table, rows_of


class Measured:
    """The study and all rows of a section."""

    def __init__(self, study: Study, section: Mapping[str, Any], data: Mapping[str, Any]):
        """Run nothing yet."""
        self.study, self._section, self._data = study, section, data

    def rows(self, part: str) -> pd.DataFrame:
        """Return the rows of a part, a copy to tamper with."""
        return rows_of(self.all[0], part).copy()

    @functools.cached_property
    def all(self) -> tuple[pd.DataFrame, set[str]]:
        """Return all rows, and the modules that any trial used and its hash does not cover."""
        prints = Fingerprints(self.study, dict.fromkeys(self._data, ""))
        rows, beyond = [], set()
        for trial in self.study.trials(self.study.Params.model_validate(self._section)):
            with watch() as used, tempfile.TemporaryDirectory() as folder:
                new = self.study.run(trial, self._data, Path(folder))
            plain = {str, int, float, bool, type(None)}
            assert {type(value) for row in new for value in row.values()} <= plain, trial
            rows += [trial | row for row in new]
            beyond |= used - prints.reach(trial)
        return pd.DataFrame(rows), beyond

    def checks(self, part: str, rows: pd.DataFrame) -> dict[str, Check]:
        """Return a part's predictions, checked on the rows, by what they claim."""
        return {check.claim: check for check in self.study.parts[part].expects(rows)}

    def assert_shown(self) -> None:
        """Hold every figure to columns that are there, and every table to lines."""
        rows = self.all[0]
        rows.to_parquet(io.BytesIO())  # a column of all parts is of one type
        for shown in self.study.figures:
            if isinstance(shown, Table):
                assert len(shown.build(rows)), shown.name
            else:
                assert isinstance(shown, Figure)
                kept = rows
                for column, wanted in shown.where.items():
                    kept = kept[
                        kept[column].isin(wanted if isinstance(wanted, tuple) else [wanted])
                    ]
                columns = [shown.x, shown.y, shown.hue, shown.column, shown.row, shown.theory]
                assert len(kept.dropna(subset=[c for c in columns if c])), shown.name

    def assert_fails(self, part: str, claim: str, rows: pd.DataFrame) -> None:
        """Hold all checks of these words to failing on the rows."""
        aimed = [check for words, check in self.checks(part, rows).items() if claim in words]
        assert aimed, claim
        assert not any(check.holds for check in aimed), aimed
