"""A study at a size of seconds, each part run once, with what each of its trials used."""

import functools
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_modules.registry import lookups
from pipeline.params import expand
from pipeline.reporting import figures
from pipeline.running.fingerprint import Fingerprints
from pipeline.study import Check, Entries, Figure, Given, Row, Study, rows_of


class Measured:
    """A study, and the rows of a section as params/<study>.yaml has one at each scale."""

    def __init__(self, study: Study, section: Mapping[str, Any], data: Mapping[str, Any]):
        """Run nothing yet."""
        self.study, self.section, self._data = study, section, data
        self._run = functools.cache(self._measure)

    def trials(self, part: str) -> list[Entries]:
        """Return the trials of a part."""
        section = self.section[part] if part else self.section
        asked = expand(self.study.parts[part].trial, section, part)
        return [({"part": part} if part else {}) | trial.entries() for trial in asked]

    def run(self, entries: Entries) -> list[Row]:
        """Return the rows of one trial, with what describes it."""
        with tempfile.TemporaryDirectory() as folder:
            rows = self.study.run(entries, Given(self._data, Path(folder)))
        plain = {str, int, float, bool, type(None)}
        assert {type(value) for row in rows for value in row.values()} <= plain, entries
        return [entries | row for row in rows]

    def rows(self, part: str) -> pd.DataFrame:
        """Return the rows of a part, a copy to tamper with."""
        return rows_of(self._run(part)[0], part).copy()

    def beyond(self, part: str) -> set[str]:
        """Return the modules that a trial of the part used and its hash does not cover."""
        return self._run(part)[1]

    def checks(self, part: str, rows: pd.DataFrame) -> dict[str, Check]:
        """Return a part's predictions, checked on the rows, by what they claim."""
        return {check.claim: check for check in self.study.parts[part].expects(rows)}

    def assert_shown(self) -> None:
        """Hold every figure to rows that it shows, and every table to lines."""
        rows = pd.concat([self._run(part)[0] for part in self.study.parts], ignore_index=True)
        rows.to_parquet(io.BytesIO())  # a column of all parts is of one type
        for part, of in self.study.parts.items():
            own = rows_of(rows, part)
            assert list(of.expects(own)), part
            for shown in of.figures:
                drawn = isinstance(shown, Figure)
                assert len(figures.chosen(shown, own) if drawn else shown.build(own)), shown.name

    def assert_fails(self, part: str, claim: str, rows: pd.DataFrame) -> None:
        """Hold all checks of these words to failing on the rows."""
        aimed = [check for words, check in self.checks(part, rows).items() if claim in words]
        assert aimed, claim
        assert not any(check.holds for check in aimed), aimed

    def _measure(self, part: str) -> tuple[pd.DataFrame, set[str]]:
        """Run a part."""
        prints = Fingerprints(self.study)
        rows: list[Row] = []
        beyond = set[str]()
        for entries in self.trials(part):
            with lookups() as used:
                rows += self.run(entries)
            beyond |= used - prints.modules(entries).keys()
        return pd.DataFrame(rows), beyond
