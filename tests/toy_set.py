"""A data set of two small files, its stand-in, and where both are served from."""

import hashlib
from pathlib import Path

import pytest

from pipeline.data import downloads, sources
from pipeline.data.bringing import Source
from pipeline.data.embedded import Embedded

FILES = {"one.bin": b"1" * 300_000, "two.bin": b"2" * 1000}


def _stand_in(folder: Path) -> int:
    for file in FILES:
        (folder / file).write_bytes(b"stand-in")
    return 7


STAND_IN = Embedded("A stand-in", "items", "nowhere", "none", "nobody", _stand_in)


def source(*addresses: str, embedded: Embedded | None = STAND_IN) -> Source:
    """Return the data set's entry with the given addresses."""
    files = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
    places = tuple(f"{address}/toy-set/{{file}}" for address in addresses)
    return Source("Toy", 2, "things", files, places, "free", "us", embedded)


class Toy:
    """``toy_set`` as a data set of this process, which knows nothing of the network yet."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self._monkeypatch = monkeypatch
        monkeypatch.delenv("DATA_MIRROR", raising=False)
        self("http://no-such-host.invalid")

    def __call__(self, *addresses: str, embedded: Embedded | None = STAND_IN) -> None:
        """Have it served from these addresses."""
        self._monkeypatch.setattr(downloads, "network", downloads.Network())
        self._monkeypatch.setitem(sources.SOURCES, "toy_set", source(*addresses, embedded=embedded))


def publish(folder: Path) -> Path:
    """Write the right files into a folder, laid out as a mirror."""
    (folder / "toy-set").mkdir(parents=True)
    for name, data in FILES.items():
        (folder / "toy-set" / name).write_bytes(data)
    return folder


def snapshot(root: Path) -> dict[str, bytes]:
    """Return everything below a folder."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
