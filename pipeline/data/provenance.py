"""The record of what a data set's folder holds: its provenance.json.

The record is written last. A folder without it, or with other files than it names, does not count
as a data set: so a fetch that was killed leaves nothing that could be mistaken for one.
"""

import contextlib
import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError

RECORD = "provenance.json"


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What a folder holds: the data set that was asked for, or what stands in for it."""

    requested: str
    served: str
    reason: str
    """Why it is not the one that was asked for; empty if it is."""
    embedded: bool
    files: Mapping[str, str]
    """SHA-256, by name."""
    count: int
    unit: str
    address: str
    """Where it is published."""
    licence: str
    citation: str
    origins: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)
    """Who served each file, by name; it does not count in comparisons."""

    @property
    def sha256(self) -> str:
        """One digest over all files."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def facts(self) -> dict[str, Any]:
        """Return what trials' records keep of it: the same wherever the files came from."""
        said = dataclasses.asdict(self)
        del said["files"], said["origins"]
        return {**said, "sha256": self.sha256}

    def as_many(self, there: int, what: str, **wanted: int) -> int:
        """Return how many of the ``there`` items are used: as wanted, or all of a stand-in's.

        ValueError if the real data set has too few: the trial would not be what its fields say.
        """
        ((name, size),) = wanted.items()
        if size > there and not self.embedded:
            raise ValueError(f"{name} is {size}: {self.served} has {there} {what}")
        return min(size, there)


def folder_of(name: str, root: Path) -> Path:
    """Return the folder of a data set, below that of all data sets."""
    return root / name


def digest(path: Path) -> str:
    """Return a file's SHA-256, empty where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def recorded(folder: Path) -> Provenance | None:
    """Return the record in a folder; None if there is none, or it cannot be read."""
    try:
        return Provenance(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def verified(name: str, root: Path) -> tuple[Path, Provenance]:
    """Return a data set's folder and its record; UserError if the files do not match it."""
    folder = folder_of(name, root)
    again = f"fetch it: python -m pipeline fetch {name}"
    provenance = recorded(folder)
    if provenance is None:
        raise UserError(f"{folder / RECORD}: missing or not readable; {again}")
    for file, wanted in provenance.files.items():
        if digest(folder / file) != wanted:
            raise UserError(f"{folder / file}: missing, or not what was fetched; {again}")
    return folder, provenance


def record(folder: Path, provenance: Provenance) -> None:
    """Write the record, replacing the file at once, unless it is the same already."""
    text = json.dumps(dataclasses.asdict(provenance), indent=2, ensure_ascii=False) + "\n"
    if recorded(folder) != provenance:
        partial = folder / f".{RECORD}"
        partial.write_text(text, encoding="utf-8")
        partial.replace(folder / RECORD)


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside ``folder`` to bring files into; it is gone afterwards."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def install(partial: Path, folder: Path, provenance: Provenance) -> None:
    """Move the files into the data set's folder and record what it holds then."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).unlink(missing_ok=True)
    for file in partial.iterdir():
        file.chmod(0o644)
        file.replace(folder / file.name)
    record(folder, provenance)
