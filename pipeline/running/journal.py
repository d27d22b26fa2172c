"""The journal: the record of the trials that have ended, one a line; all tables are made of it.

A line is appended and synced to the disk as soon as its trial ends, so a kill loses at most the
line being written; an incomplete last line is ignored. What many records share, such as where a
data set came from or which modules a code hash stands for, is a fact: it is written once, in a line
of its own, and records name it by its digest. Journals of several machines may be joined line by
line (git's union merge): ``better`` decides which of a trial's records counts.

Above 300 lines because what a line may hold, how it is written and what is refused are one thing.
"""

import contextlib
import dataclasses
import fcntl
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.errors import UserError, refused
from pipeline.running.syntax import digest
from pipeline.study import Entries, Row, key

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path("rows")
FINISHED, FAILED = "finished", "failed"
Facts = dict[str, Any]
"""What several records share, by its digest."""


@dataclasses.dataclass(frozen=True)
class Adoption:
    """Where a record comes from that counts for code by which it was not measured."""

    code: str
    """The hash of the code that measured it."""
    commit: str
    """The commit that holds that code."""
    again: bool
    """Whether this very trial was run under both codes, with the same rows."""


@dataclasses.dataclass(frozen=True)
class Record:
    """One trial that has ended; nothing in it says on which machine."""

    hash: str
    """The hash of all that the result depends on: parameters, data, code and versions."""
    code: str
    """The hash of the code alone: the digest of the fact that lists its modules."""
    trial: Entries
    rows: list[Row]
    status: str
    error: str
    """One line if failed, empty otherwise."""
    started: float
    """Seconds since 1970."""
    seconds: float
    versions: dict[str, str]
    data: dict[str, str]
    """Data set -> the digest of the fact that says what was served."""
    adopted: Adoption | None = None

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

    def plain(self) -> dict[str, Any]:
        """Return the record as plain values, for JSON."""
        held = dataclasses.asdict(self)
        return held if self.adopted else {k: v for k, v in held.items() if k != "adopted"}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Record":
        """Return the record from its plain values; TypeError or ValueError if they make none."""
        adopted = plain.get("adopted")
        made = cls(**{**plain, "adopted": adopted and Adoption(**adopted)})
        words = (*made.data.values(), *made.versions.values())
        if (
            not all(isinstance(getattr(made, name), kind) for name, kind in KINDS.items())
            or not all(isinstance(row, dict) for row in made.rows)
            or not all(isinstance(word, str) for word in words)
            or any(isinstance(value, dict | list) for value in made.trial.values())
        ):
            raise TypeError("not what a record holds")
        if made.status not in (FINISHED, FAILED) or not math.isfinite(made.ended):
            raise ValueError(f"not what becomes of a trial: {made.status} at {made.ended}")
        return made


KINDS = {
    **dict.fromkeys(("hash", "code", "status", "error"), str),
    **dict.fromkeys(("trial", "versions", "data"), dict),
    **dict.fromkeys(("started", "seconds"), (int, float)),
    "rows": list,
}
"""The types of a record's fields."""


@dataclasses.dataclass(frozen=True)
class Held:
    """The content of a journal."""

    records: dict[str, Record]
    """The record of each trial that counts, by the trial's key."""
    facts: Facts

    def stand_in(self, record: Record) -> bool:
        """Return whether a stand-in replaced a data set of the record."""
        return any(self.facts.get(f, {}).get("embedded", False) for f in record.data.values())


def better(one: Record, other: Record, facts: Facts) -> Record:
    """Return which of a trial's two records counts.

    One on real data is preferred to one on a stand-in; then, if their hashes are equal, one that
    finished to one that failed; then the later.
    """
    held = Held({}, facts)
    alike = one.hash == other.hash
    order = [
        (not held.stand_in(r), alike and r.status == FINISHED, r.ended, r.adopted is not None)
        for r in (one, other)
    ]
    return one if order[0] > order[1] else other


class Journal:
    """The file of one study at one scale."""

    def __init__(self, path: Path):
        """Take the file's path; the file need not exist."""
        self.path = path
        self._written: set[str] | None = None

    def read(self, rows: bool = True) -> Held:
        """Return the file's content.

        Without ``rows``, which are most of the file, reading takes a third of the time.

        Raises:
            UserError: a line is neither record nor fact, or the file cannot be read.
        """
        lines = list(self._lines(rows))
        facts: Facts = {}
        for number, line in enumerate(lines, start=1):
            if "fact" in line:
                if not isinstance(line["fact"], str) or not isinstance(line.get("holds"), dict):
                    raise self._bad(number)
                facts[line["fact"]] = line["holds"]
        records: dict[str, Record] = {}
        for number, line in enumerate(lines, start=1):
            if "fact" in line:
                continue
            try:
                record = Record.of(line)
                known = records.get(record.key)
            except (TypeError, ValueError, AttributeError):
                raise self._bad(number) from None
            records[record.key] = record if known is None else better(known, record, facts)
        return Held(records, facts)

    def append(self, record: Record, facts: Facts) -> None:
        """Add a record and the facts that it names; when this returns, both are on the disk.

        UserError if they cannot be written; the content so far is kept.
        """
        if self._written is None:
            self._written = set(self.read().facts)
        named = [f for f in (record.code, *record.data.values()) if f in facts]
        new = [f for f in dict.fromkeys(named) if f not in self._written]
        lines = [_line({"fact": f, "holds": facts[f]}) for f in new]
        text = "".join([*lines, _line(record.plain())]).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                _mend(file)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise refused(error, self.path) from error
        self._written |= set(new)

    def compact(self) -> None:
        """Rewrite the file with one record a trial and the facts that these records name."""
        self._written = None
        if self.path.exists():
            self.replace(self.read())

    def replace(self, held: Held) -> None:
        """Replace the file's content, wholly or not at all; UserError if it cannot be written."""
        text = written(held).encode()
        try:
            if not self.path.exists() or self.path.read_bytes() != text:
                with replacing(self.path) as draft:
                    draft.write_bytes(text)
        except OSError as error:
            raise refused(error, self.path) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the journal against a second driver; the lock ends with the process at the latest.

        UserError if another run holds it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            opened = self.path.open("ab")
        except OSError as error:
            raise refused(error, self.path) from None
        with opened as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                replaced = os.stat(self.path).st_ino != os.fstat(file.fileno()).st_ino
            except (BlockingIOError, FileNotFoundError):
                replaced = True
            except OSError as error:
                raise refused(error, self.path) from None
            if replaced:  # locked by another run, or just replaced by one with a new file
                line = f"{self.path} is being written by another run: wait for it, or stop it"
                raise UserError(line)
            yield

    def _lines(self, rows: bool) -> Iterator[dict[str, Any]]:
        """Parse the file; a last line without a line end was cut off by a kill and is ignored."""
        try:
            whole, _, _ = self.path.read_bytes().rpartition(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise refused(error, self.path) from None
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                parsed = json.loads(line if rows else _without_rows(line))
            except (ValueError, RecursionError):
                raise self._bad(number) from None
            if not isinstance(parsed, dict):
                raise self._bad(number)
            yield parsed

    def _bad(self, number: int) -> UserError:
        where = f"{self.path}, line {number}, is not a record as this version writes them"
        return UserError(f"{where}: delete the line; its trial will run again")


def fact(content: Any) -> Facts:
    """Return one fact under its digest."""
    return {digest(content): content}


def written(held: Held) -> str:
    """Return a journal's text: each fact before the first record that names it."""
    lines, done = [], set[str]()
    for record in held.records.values():
        for name in (record.code, *record.data.values()):
            if name in held.facts and name not in done:
                lines.append(_line({"fact": name, "holds": held.facts[name]}))
                done.add(name)
        lines.append(_line(record.plain()))
    return "".join(lines)


def journal(study: str, scale: str, root: Path = ROOT) -> Journal:
    """Return the journal of a study at a scale."""
    return Journal(root / scale / f"{study}.jsonl")


def table(records: Mapping[str, Record], keys: Iterable[str]) -> "pd.DataFrame":
    """Return the finished trials' rows in the order of the keys.

    A row holds the trial's entries, what was measured, and the trial's ``hash`` and ``status``.
    """
    import pandas as pd

    finished = [r for r in (records.get(k) for k in keys) if r and r.status == FINISHED]
    return pd.DataFrame(
        [r.trial | row | {"hash": r.hash, "status": r.status} for r in finished for row in r.rows]
    )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a draft beside ``path``, which it replaces if the block raises nothing."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"


def _without_rows(line: bytes) -> bytes:
    """Leave the rows out of a record's line; in JSON, texts within have no bare quotation mark."""
    start, end = line.find(b', "rows": ['), line.rfind(b'], "status": ')
    return line[:start] + b', "rows": [' + line[end:] if 0 <= start < end else line


def _mend(file: BinaryIO) -> None:
    """Cut off an incomplete last line, left by a kill, without reading the whole file."""
    end = file.seek(0, os.SEEK_END)
    at, step = end, 1
    while at > 0:
        start = max(0, at - step)
        file.seek(start)
        found = file.read(at - start).rfind(b"\n")
        if found >= 0:
            at = start + found + 1
            break
        at, step = start, step * 2
    if at < end:
        file.truncate(at)
    file.seek(at)
