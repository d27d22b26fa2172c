"""A study's journal -> its claims and answer, its figures and tables, its numbers.

Above 300 lines because it is all that a page's template reads from a journal, in one place.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from pipeline.measuring import evidence
from pipeline.reporting import prose
from pipeline.reporting.counts import Counts
from pipeline.reporting.exhibits import Exhibit, exhibit
from pipeline.reporting.figures import words
from pipeline.running.jobs import Job
from pipeline.running.journal import FAILED, FINISHED, Held, Record, table
from pipeline.study import (
    HOLDS,
    MISSED,
    UNDECIDED,
    Claim,
    Figure,
    Part,
    Table,
    datasets_of,
    rows_of,
)

INCOMPLETE = (LookupError, ArithmeticError, ValueError, TypeError, AttributeError)
"""What a declaration may raise if rows that it needs are missing, or measured by earlier code."""
WEIGHT = {HOLDS: 1, UNDECIDED: 0, MISSED: -1}
"""A verdict as a number, for ``dvc metrics diff``."""


class Judged(NamedTuple):
    """A claim and its verdict, corrected for the number of the study's claims."""

    part: str
    claim: Claim
    verdict: str


@dataclasses.dataclass(frozen=True)
class PartFindings:
    """A part of a study, with its own rows."""

    name: str
    declared: Part
    rows: pd.DataFrame
    missing: int
    """Its trials that have not finished."""
    stale: int
    """Its trials measured by earlier code, whose rows may lack columns that are read now."""
    study: str
    command: str
    """The command that runs its trials again."""

    @property
    def question(self) -> str:
        """The first paragraph of its docstring."""
        return prose.sections(self.declared.doc)["question"]

    @cached_property
    def claims(self) -> list[Claim]:
        """Its claims; those that missing or stale trials make uncomputable are one, undecided."""
        stated: list[Claim] = []
        error = self._attempt(lambda: stated.extend(self.declared.expects(self.rows)))
        if not error:
            return stated
        what = "the rest of the claims" if stated else "the claims"
        return [*stated, Claim(what, 0, error, "", exact=False, p=(1.0, 1.0))]

    @cached_property
    def exhibits(self) -> list[Exhibit]:
        """Its figures and tables."""
        return [self._exhibit(declared) for declared in self.declared.figures]

    def _exhibit(self, declared: Figure | Table) -> Exhibit:
        found: list[Exhibit] = []
        of = declared, self.rows, self.study, self.command
        error = self._attempt(lambda: found.append(exhibit(*of)))
        return found[0] if found else Exhibit(declared, error=error)

    def _attempt(self, work: Callable[[], object]) -> str:
        return _attempt(work, self.missing, self.stale)


@dataclasses.dataclass(frozen=True)
class Adopted:
    """Trials that count for the present code but were measured by that of a commit."""

    commit: str
    trials: int
    again: int
    """How many of them the present code ran as well, with the same rows."""


class Findings:
    """The results in a study's journal, by its declaration."""

    def __init__(self, job: Job):
        """Read the journal as it is now."""
        held = job.journal.read()
        counted = _counted(job, held)
        ended = [counted[k] for k in job.trials if k in counted]
        self.name, self.scale, self.study = job.name, job.scale, job.study
        self.asked = job.trials
        self.finished = [r for r in ended if r.status == FINISHED]
        self.failures = [r for r in ended if r.status == FAILED]
        self.rows = table(counted, job.trials)
        self.prose = prose.sections(job.study.doc)
        self._facts, self._ended, self._section = held.facts, ended, job.section
        self._left = [trial for key, trial in job.trials.items() if key not in counted]
        self._data = job.data
        present = {id(r) for r in self.finished if r.code == job.prints.code(r.trial)}
        self.stale = len(self.finished) - len(present)
        self._present = [r for r in self.finished if id(r) in present]
        asked, done, now = (
            Counter(str(trial.get("part", "")) for trial in trials)
            for trials in (
                job.trials.values(),
                (r.trial for r in self.finished),
                (r.trial for r in self._present),
            )
        )
        self.parts = [
            PartFindings(
                name,
                part,
                self._rows_of(name),
                asked[name] - done[name],
                done[name] - now[name],
                self.name,
                self.command,
            )
            for name, part in job.study.parts.items()
        ]

    def _rows_of(self, part: str) -> pd.DataFrame:
        return self.rows if self.rows.empty else rows_of(self.rows, part)

    @property
    def missing(self) -> int:
        """How many trials of the study's file have not finished: they failed, or have not run."""
        return len(self.asked) - len(self.finished)

    @property
    def waiting(self) -> int:
        """How many trials have not ended at all."""
        return self.missing - len(self.failures)

    @property
    def lacking(self) -> list[str]:
        """Data sets that could not be fetched, each with the number of trials that lack it.

        A data set that was never asked for is not named, so that committed pages do not depend on
        the machine.
        """
        wanted = Counter(name for trial in self._left for name in datasets_of(trial))
        return [
            f"{count:,} on {name}, which could not be had"
            for name, count in wanted.items()
            if self._data[name].absent
        ]

    @property
    def adopted(self) -> list[Adopted]:
        """Trials adopted from earlier code, by its commit."""
        commits: dict[str, list[bool]] = {}
        for record in self._present:
            if record.adopted:
                commits.setdefault(record.adopted.commit, []).append(record.adopted.again)
        return [Adopted(commit, len(again), sum(again)) for commit, again in commits.items()]

    @cached_property
    def judged(self) -> list[Judged]:
        """All claims with their verdicts, corrected for the number of inexact ones."""
        stated = [(part.name, claim) for part in self.parts for claim in part.claims]
        found = evidence.verdicts([claim for _, claim in stated])
        return [Judged(*of, verdict) for of, verdict in zip(stated, found, strict=True)]

    @property
    def missed(self) -> list[Judged]:
        """The claims that do not hold."""
        return [of for of in self.judged if of.verdict == MISSED]

    @property
    def counts(self) -> Counts:
        """How many claims got which verdict."""
        by = Counter((of.verdict, of.claim.exact) for of in self.judged)
        missed, undecided = (
            by[verdict, True] + by[verdict, False] for verdict in (MISSED, UNDECIDED)
        )
        return Counts(by[HOLDS, True], by[HOLDS, False], missed, undecided)

    @property
    def family(self) -> int:
        """How many claims Holm's procedure corrects for."""
        return sum(not of.claim.exact for of in self.judged)

    @cached_property
    def expectations(self) -> dict[int, tuple[str, list[Judged]]]:
        """Each expectation of the study's text by its number, with the claims that check it."""
        return {
            number: (text, [of for of in self.judged if of.claim.expected == number])
            for number, text in prose.numbered(self.prose["expected"]).items()
        }

    @cached_property
    def answer(self) -> str:
        """The study's answer to its question, or why there is none yet."""
        found: list[str] = []
        if self.study.answer is None:
            return ""
        answer = self.study.answer
        error = _attempt(lambda: found.append(answer(self.rows)), self.missing, self.stale)
        unsure = self.family and not any(
            of.verdict != UNDECIDED for of in self.judged if not of.claim.exact
        )
        note = " With so few seeds no claim is decided that chance has a part in." if unsure else ""
        return f"{found[0]}{note}" if found else f"No answer yet: {error}."

    @property
    def exhibits(self) -> list[Exhibit]:
        """All figures and tables."""
        return [exhibit for part in self.parts for exhibit in part.exhibits]

    @property
    def first(self) -> Exhibit | None:
        """The first figure that could be drawn, one of a single panel if there is one."""
        drawn = [exhibit for exhibit in self.exhibits if exhibit.drawn]
        narrow = (exhibit for exhibit in drawn if exhibit.across == 1)
        return next(narrow, drawn[0] if drawn else None)

    @cached_property
    def provenance(self) -> list[Mapping[str, Any]]:
        """What each data set was when the trials ran; several entries if it changed in between."""
        served = {(name, fact): None for r in self.finished for name, fact in r.data.items()}
        of = sorted(served, key=lambda pair: pair[0])
        return [self._facts[fact] for _, fact in of if self._facts.get(fact)]

    @property
    def embedded(self) -> list[Mapping[str, Any]]:
        """The data sets that were replaced by a stand-in."""
        return [served for served in self.provenance if served["embedded"]]

    @property
    def versions(self) -> dict[str, str]:
        """The libraries under which the trials ran: ``2.13.0``, or ``2.12.0 and 2.13.0``."""
        seen: dict[str, dict[str, None]] = {}
        for record in self.finished:
            for library, version in record.versions.items():
                seen.setdefault(library, {})[version] = None
        return {library: " and ".join(sorted(of)) for library, of in seen.items()}

    @property
    def seeds(self) -> list[int]:
        """The seeds that were used."""
        return sorted({int(str(r.trial["seed"])) for r in self.finished})

    @property
    def params(self) -> list[tuple[str, str]]:
        """Every parameter: its path, its value."""
        return list(_flat(self._section))

    @property
    def command(self) -> str:
        """The command that runs unfinished and stale trials, and builds the page again."""
        return f"python -m pipeline run {self.name} --scale {self.scale}"

    @property
    def time(self) -> str:
        """The sum of the trials' times, in h, min or s."""
        seconds = round(sum(r.seconds for r in self._ended), 3)
        units = (("h", 3600), ("min", 60), ("s", 1))
        unit, size = next((u for u in units if seconds >= u[1]), units[-1])
        return f"{seconds / size:.3g} {unit}"

    @property
    def reproduced(self) -> list[dict[str, str]]:
        """The published figures that claims reproduce, with this project's own."""
        return [
            {
                **of.claim.published._asdict(),
                "study": self.name,
                "part": of.part,
                "claim": of.claim.text,
                "seen": of.claim.seen,
                "seeds": str(of.claim.replicates or ""),
                "verdict": of.verdict,
                "cause": of.claim.cause if of.verdict == MISSED else "",
            }
            for of in self.judged
            if of.claim.published
        ]

    def particulars(self, record: Record) -> str:
        """Return the parameters in which a trial differs from its part's others, in words."""
        part = self.study.part_of(record.trial)
        of = [trial for trial in self.asked.values() if self.study.part_of(trial) is part]
        telling = {k for k, v in record.trial.items() if any(o.get(k) != v for o in of)} | {"part"}
        entries = sorted(record.trial.items(), key=lambda entry: entry[0] == "seed")
        return ", ".join(f"{k} {words(v)}" for k, v in entries if k in telling and v is not None)

    def summary(self) -> dict[str, Any]:
        """Return the study's numbers as nested dicts, without those that are not finite."""
        return {
            "claims": self.counts._asdict(),
            "trials": {
                "asked": len(self.asked),
                "finished": len(self.finished),
                "failed": len(self.failures),
                "waiting": self.waiting,
                "stale": self.stale,
                "adopted": sum(of.trials for of in self.adopted),
            },
            "rows": len(self.rows),
            "seeds": len(self.seeds),
            "embedded": len(self.embedded),
            "verdicts": {of.claim.text: WEIGHT[of.verdict] for of in self.judged},
            "estimates": _finite({of.claim.text: of.claim.estimate for of in self.judged}),
            "shown": {e.declared.name: _finite(e.numbers) for e in self.exhibits if e.numbers},
        }


def _counted(job: Job, held: Held) -> dict[str, Record]:
    """Return the record of each trial that is asked for, described as it is now."""
    counted: dict[str, Record] = {}
    for record in held.records.values():
        if (asked := job.asked(record.trial)) is not None:
            # Of two records of one trial, the one with today's description counts.
            counts = held.records.get(asked, record)
            counted[asked] = dataclasses.replace(counts, trial=job.trials[asked])
    return counted


def _attempt(work: Callable[[], object], missing: int, stale: int) -> str:
    """Call ``work``; if trials are missing or stale, return its error in words, else raise it."""
    try:
        work()
    except INCOMPLETE as error:
        if not missing and not stale:
            raise
        are = "missing" if missing else "of earlier code"
        return f"not computable while trials are {are} ({type(error).__name__}: {error})"
    return ""


def _finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the finite numbers as floats; mappings that have none are left out."""
    plain: dict[str, Any] = {}
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            plain |= {name: inner} if (inner := _finite(value)) else {}
        elif math.isfinite(value):
            plain[name] = float(value)
    return plain


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested mappings, and lists of mappings, with their paths."""
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
