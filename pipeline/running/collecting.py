"""Records from an MLflow store that the journal lacks -> the journal.

Several machines that log to one server can thus be reported together. A record is read from the
artifact of its run. It is refused if the artifact is not what was logged, or if its hash does not
match its parameters, data, versions and code. Of two records of a trial ``journal.better`` picks
one, so that no record is replaced by an older one, or by one on stand-in data.
"""

import dataclasses
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pydantic

from pipeline.errors import UserError
from pipeline.running.fingerprint import combined
from pipeline.running.journal import Facts, Held, Record, better
from pipeline.running.syntax import digest
from pipeline.running.tracking import Kept, Tracker, entries_digest

if TYPE_CHECKING:
    from pipeline.running.jobs import Job

ABREAST = 8
"""How many artifacts are fetched at a time."""


@dataclasses.dataclass(frozen=True)
class Collected:
    """What became of a study's runs in the store."""

    study: str
    scale: str
    new: int
    """Records that were taken: the journal had none of that trial, or an inferior one."""
    known: int
    """Records that were not needed: the journal has them, or better ones."""
    bare: int
    """Runs that were logged before runs kept their records."""
    refused: tuple[str, ...]
    """One line for each run whose record was not taken, with the reason."""

    def lines(self) -> list[str]:
        """Return the counts in one line, then a line for each refusal."""
        before = f", {self.bare:,} logged before runs kept their records" if self.bare else ""
        counts = f"{self.new:,} collected, {self.known:,} known, {len(self.refused):,} refused"
        where = f"{self.study} ({self.scale}): "
        return [f"{where}{counts}{before}", *(where + line for line in self.refused)]


class _Whole(pydantic.BaseModel):
    """The content of an artifact."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True)

    study: str
    scale: str
    record: Record
    facts: dict[str, dict[str, Any]]


def collect(job: "Job", uri: str | None = None) -> Collected:
    """Bring the records that the store holds and the journal lacks into the journal.

    Raises:
        UserError: the store does not answer, or a run is writing the journal.
    """
    held = job.journal.read()
    kept = list(Tracker(uri).kept(job.name, job.scale))
    whole = [run for run in kept if "digest" in run.tags]
    known = {entries_digest(record): record for record in held.records.values()}
    lacking = [r for r in whole if not _is_known(r, known.get(r.tags.get("entries", "")), held)]
    found: list[tuple[Record, Facts]] = []
    refused: list[str] = []
    with ThreadPoolExecutor(ABREAST) as pool:
        for run, content in zip(lacking, pool.map(_content, lacking), strict=True):
            try:
                found.append(_checked(run, content, job))
            except _RefusedError as reason:
                refused.append(f"run {run.run}: {reason}")
    new = _write(job, found) if found else 0
    bare = len(kept) - len(whole)
    seen = len(whole) - len(refused) - new
    return Collected(job.name, job.scale, new, seen, bare, tuple(refused))


class _RefusedError(Exception):
    """Why a record is not taken, in one line."""


def _is_known(run: Kept, known: Record | None, held: Held) -> bool:
    """Return whether the journal's record is surely the run's own or a better one."""
    if known is None:
        return False
    older = run.ended < known.ended - 0.001 and not held.stand_in(known)
    return run.tags.get("record") == known.id or older


def _content(run: Kept) -> bytes | UserError:
    """Return the run's artifact, or why there is none."""
    try:
        return run.read()
    except UserError as error:
        return error


def _checked(run: Kept, content: bytes | UserError, job: "Job") -> tuple[Record, Facts]:
    """Return the record that an artifact holds, and the facts that it names.

    Raises:
        _RefusedError: it is damaged, of something else, or its hash is not of what it says.
    """
    if isinstance(content, UserError):
        raise _RefusedError(f"its record can't be had: {content}")
    try:
        text = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise _RefusedError("its record is damaged: it can't be unpacked") from None
    if hashlib.sha256(text).hexdigest() != run.tags["digest"]:
        raise _RefusedError("its record is damaged: it isn't what was logged")
    try:
        whole = _Whole.model_validate_json(text)
        record = Record.of(json.loads(text)["record"])
    except (ValueError, TypeError):
        raise _RefusedError("what it holds is no record") from None
    if (whole.study, whole.scale) != (job.name, job.scale):
        raise _RefusedError(f"its record is of {whole.study[:80]!r} ({whole.scale[:80]!r})")
    facts = {name: whole.facts.get(name) for name in (record.code, *record.data.values())}
    _verify(record, facts)
    return record, facts


def _verify(record: Record, facts: Mapping[str, Any]) -> None:
    """Raise _RefusedError unless the hash is that of parameters, data, versions and code."""
    if any(digest(content) != name for name, content in facts.items()):
        raise _RefusedError("it does not tell by what code or of what data it is")
    try:
        data = {name: str(facts[fact]["sha256"]) for name, fact in record.data.items()}
        found = combined(record.trial, data, record.versions, record.code)
    except KeyError:
        raise _RefusedError("it does not tell of what data it is") from None
    if found != record.hash:
        raise _RefusedError("its hash is not that of its parameters, data, versions and code")


def _write(job: "Job", found: list[tuple[Record, Facts]]) -> int:
    """Write the records that count into the journal, all at once; return how many are new."""
    with job.journal.locked():
        held = job.journal.read()
        records, facts = dict(held.records), dict(held.facts)
        for record, own in found:
            facts |= own
            known = records.get(record.key)
            records[record.key] = record if known is None else better(known, record, facts)
        before = {record.id for record in held.records.values()}
        taken = sum(record.id not in before for record in records.values())
        if taken:
            job.journal.replace(Held(records, facts))
    return taken
