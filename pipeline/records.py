"""The record of what is finished: a journal of trials, one a line, and the table made of it.

A line is appended and synced as soon as its trial ends, so a kill loses at most the line that it
tears, and a torn last line counts for nothing. Journals of several machines may be joined line by
line (git's union merge): the trial that ended last wins.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from pipeline.errors import UserError
from pipeline.study import Row, Trial

ROOT = Path("rows")
FINISHED, FAILED = "finished", "failed"


@dataclasses.dataclass(frozen=True)
class Record:
    """One trial that has ended; nothing in it says on which machine."""

    hash: str
    """What the result depends on: parameters, data, code and versions."""
    code: str
    """The code's part of it alone."""
    trial: Trial
    rows: list[Row]
    status: str
    error: str
    """One line if failed, empty otherwise."""
    started: float
    """Seconds since 1970."""
    seconds: float
    versions: dict[str, str]
    data: dict[str, str]
    """What was asked for -> what was served, for each data set."""

    @property
    def key(self) -> str:
        """The trial as canonical text, the same whatever the order of its entries."""
        return key(self.trial)

    @property
    def id(self) -> str:
        """A name for this one execution: a trial that is run again gets another."""
        return f"{self.hash}-{round(self.started * 1e6)}"

    @property
    def ended(self) -> float:
        """Seconds since 1970."""
        return self.started + self.seconds


class Journal:
    """The file of one study at one scale."""

    def __init__(self, path: Path):
        """Name the file; it need not be there."""
        self.path = path

    def read(self) -> dict[str, Record]:
        """Return each trial's last record by its key; UserError for a line that is none."""
        records: dict[str, Record] = {}
        for record in self._lines():
            known = records.get(record.key)
            if known is None or record.ended >= known.ended:
                records[record.key] = record
        return records

    def append(self, record: Record) -> None:
        """Add a record; when this returns, it is on the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            _mend(file)
            file.write(_line(record).encode())
            file.flush()
            os.fsync(file.fileno())

    def compact(self) -> None:
        """Rewrite the file with each trial's last record alone, if that changes it."""
        text = "".join(map(_line, self.read().values()))
        if self.path.exists() and self.path.read_text(encoding="utf-8") != text:
            with replacing(self.path) as draft:
                draft.write_text(text, encoding="utf-8")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second driver away; the lock goes with the process, however that ends."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                line = f"{self.path} is being written by another run: wait for it, or stop it"
                raise UserError(line) from None
            yield

    def _lines(self) -> Iterator[Record]:
        """Parse the file; a last line without its end was torn by a kill and is passed over."""
        if not self.path.exists():
            return
        whole, _, _ = self.path.read_bytes().rpartition(b"\n")
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                yield Record(**json.loads(line))
            except (ValueError, TypeError):
                where = f"{self.path}, line {number}, is not a record"
                raise UserError(f"{where}: delete the line; its trial will run again") from None


def key(trial: Trial) -> str:
    """Return the trial as canonical text."""
    return json.dumps(trial, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def journal(study: str, scale: str, root: Path = ROOT) -> Journal:
    """Return the journal of a study at a scale."""
    return Journal(root / scale / f"{study}.jsonl")


def parquet(study: str, scale: str, root: Path = ROOT) -> Path:
    """Return where the table of a study at a scale lies."""
    return root / scale / f"{study}.parquet"


def table(
    records: Mapping[str, Record], trials: Iterable[Trial], facts: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the finished trials' rows in the order of the declaration, with ``facts`` as attrs.

    A row holds the trial's entries, what was measured, and the trial's ``hash`` and ``status``.
    The facts are completed by ``trials`` and ``failed`` (counts), ``failures`` (trial and error),
    ``seconds`` (the trials' times added up) and ``hashes`` (each trial's code).
    """
    ended = [records[k] for k in map(key, trials) if k in records]
    finished = [r for r in ended if r.status == FINISHED]
    failures = [{"trial": r.trial, "error": r.error} for r in ended if r.status == FAILED]
    frame = pd.DataFrame(
        [r.trial | row | {"hash": r.hash, "status": r.status} for r in finished for row in r.rows]
    )
    frame.attrs |= dict(facts) | {
        "trials": len(ended),
        "failed": len(failures),
        "failures": failures,
        "seconds": round(sum(r.seconds for r in ended), 3),
        "hashes": {r.key: r.code for r in finished},
    }
    return frame


def save(frame: pd.DataFrame, path: Path) -> None:
    """Write the table as parquet, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        frame.to_parquet(draft, index=False)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a draft beside ``path`` that takes its place when the block ends well."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _line(record: Record) -> str:
    return json.dumps(dataclasses.asdict(record), ensure_ascii=False) + "\n"


def _mend(file: BinaryIO) -> None:
    """Cut off what a kill left of a last line."""
    file.seek(0)
    written = file.read()
    if not written.endswith(b"\n"):
        file.truncate(written.rfind(b"\n") + 1)
