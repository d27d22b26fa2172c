"""How a data set gets into its folder: from a mirror, from its addresses, or a stand-in for it."""

import dataclasses
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.data import provenance
from pipeline.data.embedded import Embedded
from pipeline.data.provenance import Provenance
from pipeline.errors import UserError, anonymous

PRIVATE = "a mirror: it is not published"
"""The recorded address of a data set that has no public one."""
FOLDER = "a mirror in a folder"
"""The recorded origin of a file from a mirror in a folder, whose path is not recorded."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set as published."""

    title: str
    count: int
    unit: str
    files: Mapping[str, str]
    """SHA-256 by name."""
    addresses: tuple[str, ...]
    """In the order of preference; ``{file}`` stands for a file's name. None: mirrors alone have it.
    """
    licence: str
    citation: str
    embedded: Embedded | None = None
    """The stand-in, if no address answers."""
    published_as: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What the addresses call a file, where that is not its name."""
    folder: str = ""
    """What mirrors may call its folder, besides its name."""
    package: str = ""
    """The folder of an installed package that comes with the same files."""


def bring(name: str, source: Source, folder: Path, strict: bool) -> Provenance:
    """Bring what is missing into the folder and return what it holds then.

    Raises:
        UserError: wrong checksum; no address has a file, and ``strict`` or nothing stands in.
        OSError: the folder cannot be written.
    """
    here = {file: provenance.digest(folder / file) for file in source.files}
    missing = {file: want for file, want in source.files.items() if here[file] != want}
    served = _published(name, source)
    if not missing:
        provenance.record(folder, served)
        return served
    # Imported here: a fetch that finds everything in place must not wait for pooch.
    from pipeline.data import downloads

    with provenance.filling(folder) as partial:
        damaged = _damaged(folder, {file: here[file] for file in missing})
        for path in damaged:
            downloads.say(f"{path}: wrong checksum; fetching it again")
        try:
            got = downloads.collect(missing, lambda file: _tiers(source, name, file), partial)
            served = dataclasses.replace(served, origins=_origins(folder, source, got))
        except downloads.UnreachableError as error:
            embedded = _allowed(source, folder / error.file, strict, damaged, str(error))
            served = _stand_in(name, source, embedded, partial)
            downloads.say(_warning(name, source, served, str(error)))
        provenance.install(partial, folder, served)
    return served


def _tiers(source: Source, name: str, file: str) -> list[list[str]]:
    """Return a file's addresses: DATA_MIRROR, a folder or URL, then a package, then public ones."""
    named = source.published_as.get(file, file)
    public = [address.replace("{file}", named) for address in source.addresses]
    return [*_mirrored(source, name, file), *_installed(source, file), public]


def _mirrored(source: Source, name: str, file: str) -> list[list[str]]:
    """Return where DATA_MIRROR may have the file, if it is set; UserError where it is no place."""
    mirror = os.environ.get("DATA_MIRROR", "").strip().removeprefix("file://").rstrip("/")
    if not mirror:
        return []
    if not mirror.startswith(("http:", "https:")):
        if not Path(mirror).is_dir():
            shown = anonymous(mirror)
            raise UserError(
                f"DATA_MIRROR={shown}: no such folder; give a folder or URL, or unset it"
            )
    elif not _is_address(mirror):
        shown = anonymous(mirror)
        raise UserError(f"DATA_MIRROR={shown}: no address; give a folder or URL, or unset it")
    folders = dict.fromkeys(filter(None, (name, name.replace("_", "-"), source.folder)))
    return [[f"{mirror}/{folder}/{file}" for folder in folders]]


def _installed(source: Source, file: str) -> list[list[str]]:
    """Return where an installed package has the file, if it has the same."""
    package, _, below = source.package.partition("/")
    spec = importlib.util.find_spec(package) if package else None
    found = [Path(place, below, file) for place in (spec and spec.submodule_search_locations) or ()]
    return [[str(at)] for at in found if provenance.digest(at) == source.files[file]]


def _origins(folder: Path, source: Source, got: Mapping[str, str]) -> dict[str, str]:
    """Return who served each file: those ``got`` now, by name, and what was there before."""
    before = provenance.recorded(folder)
    known = before.origins if before and not before.embedded else {}
    now = {file: _origin(source, at) for file, at in got.items()}
    return {file: at for file in source.files if (at := {**known, **now}.get(file))}


def _origin(source: Source, at: str) -> str:
    """Return what is written down of an address or path that served a file."""
    if "://" in at:
        return anonymous(at)
    packaged = bool(source.package) and Path(at).parent.as_posix().endswith(f"/{source.package}")
    return f"the installed package: {source.package}" if packaged else FOLDER


def _is_address(mirror: str) -> bool:
    """Tell whether a URL names a host, and a port if any that there can be."""
    try:
        return bool(urlsplit(mirror).hostname) and urlsplit(mirror).port != 0
    except ValueError:
        return False


def _damaged(folder: Path, here: Mapping[str, str]) -> list[Path]:
    """Return the files that are neither the published ones nor a recorded stand-in's."""
    record = provenance.recorded(folder)
    known = record.files if record and record.embedded else {}
    return [folder / file for file, found in here.items() if found and found != known.get(file)]


def _allowed(source: Source, path: Path, strict: bool, damaged: list[Path], tried: str) -> Embedded:
    """Return the stand-in; UserError where none may serve for the missing file ``path``."""
    place = f"{path.parent.name}/{path.name}"
    how = f"connect to a network or set DATA_MIRROR to a folder or URL that holds {place}"
    if damaged:
        raise UserError(
            f"{damaged[0]}: wrong checksum, and no address has the right file ({tried}); "
            f"{how}, or delete it"
        )
    if strict or source.embedded is None:
        allowed = "; data.offline: embedded would let a stand-in serve" if source.embedded else ""
        raise UserError(f"{path}: no address has it ({tried}); {how}{allowed}")
    return source.embedded


def _warning(name: str, source: Source, served: Provenance, tried: str) -> str:
    """Say that a stand-in serves, why, and how to get the real data."""
    return (
        f"WARNING: {name} IS NOT {source.title}: {served.served} stand in for it "
        f"({served.count:,} {served.unit}), because {served.reason} ({tried}). "
        f"For the real data connect to a network or set DATA_MIRROR, then: "
        f"python -m pipeline fetch {name}"
    )


def _published(name: str, source: Source) -> Provenance:
    """Return the provenance of the data set itself."""
    return Provenance(
        requested=name,
        served=source.title,
        reason="",
        embedded=False,
        files=dict(source.files),
        count=source.count,
        unit=source.unit,
        address=next(iter(source.addresses), PRIVATE).rpartition("/")[0] or PRIVATE,
        licence=source.licence,
        citation=source.citation,
    )


def _stand_in(name: str, source: Source, embedded: Embedded, partial: Path) -> Provenance:
    """Write the stand-in's files and return its provenance, the same on every machine."""
    count = embedded.write(partial)
    return Provenance(
        requested=name,
        served=embedded.title,
        reason=f"no address of {source.title} could be reached",
        embedded=True,
        files={file: provenance.digest(partial / file) for file in source.files},
        count=count,
        unit=embedded.unit,
        address=embedded.address,
        licence=embedded.licence,
        citation=embedded.citation,
    )
