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
from pipeline.study import HOLDS, MISSED, Claim, Entries, Figure, Given, Row, Study, rows_of

COPIES = 40
"""Replicates of which a share of all or of none says that it is above or below a half."""


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

    def claims(self, part: str, rows: pd.DataFrame) -> dict[str, Claim]:
        """Return a part's claims by what they say, as if every seed had been run ``COPIES`` times.

        So each is decided by what was seen, however few the seeds of a test.
        """
        copies = [rows.assign(seed=rows["seed"] + 1_000 * copy) for copy in range(COPIES)]
        many = pd.concat(copies, ignore_index=True)
        return {claim.text: claim for claim in self.study.parts[part].expects(many)}

    def assert_shown(self) -> None:
        """Hold every figure to rows that it shows, and every table to lines."""
        rows = pd.concat([self._run(part)[0] for part in self.study.parts], ignore_index=True)
        rows.to_parquet(io.BytesIO())  # a column of all parts is of one type
        for part, of in self.study.parts.items():
            own = rows_of(rows, part)
            assert list(of.expects(own)), part
        assert self.study.answer
        assert self.study.answer(rows)
        for part, of in self.study.parts.items():
            own = rows_of(rows, part)
            for shown in of.figures:
                drawn = isinstance(shown, Figure)
                assert len(figures.chosen(shown, own) if drawn else shown.build(own)), shown.name

    def assert_missed(self, part: str, words: str, rows: pd.DataFrame) -> None:
        """Hold all claims of these words to being missed on the rows."""
        aimed = [claim for text, claim in self.claims(part, rows).items() if words in text]
        assert aimed, words
        assert all(claim.verdict == MISSED for claim in aimed), aimed

    def assert_holds(self, part: str, words: str, rows: pd.DataFrame) -> None:
        """Hold all claims of these words to holding on the rows."""
        aimed = [claim for text, claim in self.claims(part, rows).items() if words in text]
        assert aimed, words
        assert all(claim.verdict == HOLDS for claim in aimed), aimed

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
