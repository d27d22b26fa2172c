"""What a study's rows say: its checks, its figures and tables, its facts, its numbers."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from pipeline.data.provenance import Provenance
from pipeline.reporting import prose
from pipeline.reporting.figures import words
from pipeline.reporting.exhibits import Shown, show
from pipeline.study import Check, Figure, Study, Table, Trial, rows_of

INCOMPLETE = (LookupError, ArithmeticError, ValueError, TypeError, AttributeError)
"""What a declaration raises where rows that it counts on are missing."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A study, or one part of a study that has several, with its own rows."""

    name: str
    study: Study
    rows: pd.DataFrame
    failed: int
    """Trials that failed, in the whole study."""

    @property
    def question(self) -> str:
        """The first paragraph of its docstring."""
        return prose.sections(self.study.doc)["question"]

    @cached_property
    def checks(self) -> list[Check]:
        """Its predictions; one that cannot be computed, for trials that failed, does not hold."""
        stated: list[Check] = []
        error = self._attempt(lambda: stated.extend(_plain(self.study.expects(self.rows))))
        what = "the predictions can be checked" if not stated else "the rest can be checked"
        return [*stated, *([Check(what, False, error)] if error else [])]

    @cached_property
    def shown(self) -> list[Shown]:
        """Its figures and tables."""
        return [self._shown(declared) for declared in self.study.figures]

    def _shown(self, declared: Figure | Table) -> Shown:
        found: list[Shown] = []
        error = self._attempt(lambda: found.append(show(declared, self.rows)))
        return found[0] if found else Shown(declared, error=error)

    def _attempt(self, work: Callable[[], object]) -> str:
        """Do the work; where trials failed, return what went wrong instead of raising it."""
        try:
            work()
        except INCOMPLETE as error:
            if not self.failed:
                raise
            return f"not computable while trials are missing ({type(error).__name__}: {error})"
        return ""


class Findings:
    """A study's table, read against its declaration."""

    def __init__(self, name: str, study: Study, table: pd.DataFrame, stale: int):
        """``table`` is as ``records.table`` makes it, with its facts.

        ``stale`` counts the trials that other code than the present measured.
        """
        self.name, self.rows, self.facts, self.stale = name, table, table.attrs, stale
        self.prose = prose.sections(study.doc)
        whole = study.parts or {"": study}
        failed = int(self.facts["failed"])
        self.parts = [
            Part(part, of, rows_of(table, part) if part else table, failed)
            for part, of in whole.items()
        ]

    @property
    def checks(self) -> list[Check]:
        """All predictions."""
        return [check for part in self.parts for check in part.checks]

    @property
    def missed(self) -> list[Check]:
        """The predictions that do not hold."""
        return [check for check in self.checks if not check.holds]

    @property
    def shown(self) -> list[Shown]:
        """All figures and tables."""
        return [shown for part in self.parts for shown in part.shown]

    @property
    def first(self) -> Shown | None:
        """The first figure that could be drawn, one of a single panel if there is one."""
        drawn = [shown for shown in self.shown if shown.pictures]
        return next((shown for shown in drawn if shown.across == 1), drawn[0] if drawn else None)

    @cached_property
    def provenance(self) -> list[Provenance]:
        """What each data set was when the trials ran."""
        return [Provenance(**held) for held in self.facts["provenance"] if held]

    @property
    def embedded(self) -> list[Provenance]:
        """The data sets that something else stands in for."""
        return [held for held in self.provenance if held.embedded]

    @property
    def seeds(self) -> list[int]:
        """The seeds that were used."""
        if "seed" not in self.rows:
            return []
        return sorted(set(self.rows["seed"].dropna().astype(int)))

    @property
    def params(self) -> list[tuple[str, str]]:
        """Every parameter: its path, its value."""
        return list(_flat(self.facts["params"]))

    @property
    def command(self) -> str:
        """What makes all of it again."""
        return f"dvc exp run -S scale={self.facts['scale']} report@{self.name}"

    @property
    def time(self) -> str:
        """The trials' times added up, in a fit unit."""
        seconds = float(self.facts["seconds"])
        units = (("h", 3600), ("min", 60), ("s", 1))
        unit, size = next((u for u in units if seconds >= u[1]), units[-1])
        return f"{seconds / size:.3g} {unit}"

    def told(self, trial: Trial) -> str:
        """Return what tells the trial from the others of its part."""
        rows = rows_of(self.rows, str(trial["part"])) if "part" in trial else self.rows
        kept = {k: v for k, v in trial.items() if k not in rows or (rows[k] != v).any()}
        return ", ".join(f"{k} {words(v)}" for k, v in kept.items() if v is not None)

    def summary(self) -> dict[str, Any]:
        """Return the numbers, all finite, as nested dicts."""
        counts = {"run": self.facts["trials"], "failed": self.facts["failed"], "stale": self.stale}
        held = len(self.checks) - len(self.missed)
        return {
            "predictions": {"held": held, "missed": len(self.missed)},
            "trials": counts,
            "rows": len(self.rows),
            "seeds": len(self.seeds),
            "embedded": len(self.embedded),
            "holds": {check.claim: int(check.holds) for check in self.checks},
            "shown": {s.declared.name: _finite(s.numbers) for s in self.shown if s.numbers},
        }


def _plain(checks: Iterable[Check]) -> Iterator[Check]:
    """Return the checks with Python's own truth values: rows give numpy's."""
    return (Check(claim, bool(holds), seen) for claim, holds, seen in checks)


def _finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers that are finite, as plain ones."""
    plain: dict[str, Any] = {}
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            plain[name] = _finite(value)
        elif math.isfinite(value):
            plain[name] = float(value)
    return plain


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested dicts with their paths."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
