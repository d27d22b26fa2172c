"""A small study's records, made up but whole: their hashes are of what they say."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.measuring.evidence import identity
from pipeline.running.fingerprint import combined
from pipeline.running.jobs import Job
from pipeline.running.journal import Facts, Journal, Record, fact
from pipeline.study import Claim, Given, Part, Row, Trial, key, single

CURVE: list[Row] = [{"step": step, "loss": 1 / step, "label": "a"} for step in (1, 5, 9)]
VERSIONS = {"torch": "2.13.0"}


class Toss(Trial):
    """One toss of a coin."""

    side: str
    dataset: str | None = None

    def measure(self, given: Given) -> Row:
        """Return what lies on top."""
        return {"heads": float(self.side == "heads")}


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Nothing in particular."""
    yield identity("there are rows", len(rows) > 0, str(len(rows)), expected=1)


STUDY = single(Part("Is the coin fair?\n\nExpected: yes.", Toss, expects))


def job(count: int = 6, dataset: str | None = None) -> Job:
    """Return the study with so many trials; its journal is below the folder that one is in."""
    trials = [
        Toss(seed=seed, side=("heads", "tails")[seed % 2], dataset=dataset).entries()
        for seed in range(count)
    ]
    return Job("toss", STUDY, "quick", {key(trial): trial for trial in trials}, {"seeds": count})


def served(embedded: bool = False) -> Facts:
    """Return the fact of a data set, or of what stands in for it."""
    name = "digits" if embedded else "mnist"
    return fact({"served": name, "embedded": embedded, "sha256": name * 8})


def code(version: int = 0) -> Facts:
    """Return the fact of the code at a version."""
    return fact({"tests.recorded:Toss": f"{version:016x}"})


def record(
    trial: dict[str, Any],
    rows: list[Row] | None = None,
    *,
    error: str = "",
    started: float = 1_700_000_000.25,
    embedded: bool = False,
    version: int = 0,
) -> tuple[Record, Facts]:
    """Return a trial's record and the facts that it names."""
    ((by, modules),) = code(version).items()
    ((of, provenance),) = served(embedded).items()
    data = {str(trial["dataset"]): of} if trial.get("dataset") else {}
    sha256 = {name: str(provenance["sha256"]) for name in data}
    made = Record(
        hash=combined(trial, sha256, VERSIONS, by),
        code=by,
        trial=trial,
        rows=CURVE if rows is None else rows,
        status="failed" if error else "finished",
        error=error,
        started=started,
        seconds=2.5,
        versions=VERSIONS,
        data=data,
    )
    return made, {by: modules} | ({of: provenance} if data else {})


def measured(of: Job, keys: Sequence[str], **others: Any) -> None:
    """Run trials of the study and put them into its journal, one a second."""
    for place, one in enumerate(keys):
        trial = of.trials[one]
        rows = of.study.run(trial, Given({}, Path()))
        made, facts = record(trial, rows, started=1_700_000_000.0 + place, **others)
        Journal(of.journal.path).append(made, facts)


@contextlib.contextmanager
def clone(folder: Path) -> Iterator[Path]:
    """Be in a folder of one's own."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        yield folder
