"""Data sets of texts and dated series, small or generated, in folders where they may be damaged."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.data.provenance import Provenance
from pipeline.data.sets import DATASETS
from pipeline.data.sources import SOURCES, fetch

OF = Provenance("a", "A test", "", True, {}, 1, "items", "", "", "")
NAMES = sorted(set(SOURCES) - {"mnist", "tiny_shakespeare", "sunspots"})
Whole = Callable[[str], Path]
"""Copies the files of a data set and returns their folder."""


def read(name: str, folder: Path) -> Any:
    """Return what is read from the files of a folder."""
    return DATASETS[name]().read(folder, OF)


def packed(text: bytes, member: str = "spa-eng/spa.txt") -> bytes:
    """Return an archive of one text."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, text)
    return file.getvalue()


def write_all(root: Path) -> Path:
    """Write files of every data set of this kind, most of them generated, and return ``root``."""
    for name in NAMES:
        (root / name).mkdir()
        if embedded := SOURCES[name].embedded:
            embedded.write(root / name)
        else:
            fetch(name, root)
    return root
