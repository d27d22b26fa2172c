"""Data that comes with the installed libraries: stand-ins, never shown under another name.

Each is written in the file format of the data set that it stands in for.
"""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIGITS_TRAIN = 1500


@dataclass(frozen=True)
class Embedded:
    """A stand-in: what it is, and how its files are written."""

    title: str
    unit: str
    address: str
    licence: str
    citation: str
    write: Callable[[Path], int]
    """Write the files into a folder and return the number of items."""


def _digits(folder: Path) -> int:
    """Write the 1,797 scans, 8×8, as MNIST's four files; return the number for training.

    They keep their order, in which the writers come one after another: the first 1,500 are for
    training, the last 297, from other hands, for testing. Values 0..16 become 0..255.
    """
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    x_NHW = (digits.images * 255 / 16).round().astype("uint8")
    y_N = digits.target.astype("uint8")
    for part, cut in (("train", slice(DIGITS_TRAIN)), ("t10k", slice(DIGITS_TRAIN, None))):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(_idx(x_NHW[cut]))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(_idx(y_N[cut]))
    return DIGITS_TRAIN


def _idx(values: Any) -> bytes:
    """Return an array of bytes as a gzipped IDX file.

    Stored, not compressed, and without a time: the same bytes from every version of zlib.
    """
    header = [0x0800 | values.ndim, *values.shape]
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 0, packed, mtime=0) as file:
        file.write(b"".join(number.to_bytes(4, "big") for number in header) + values.tobytes())
    return packed.getvalue()


def _help_texts(folder: Path) -> int:
    """Write Python's help on its own language as one text; return its number of characters."""
    from pydoc_data.topics import topics

    text = "\n".join(topics[name] for name in sorted(topics))
    (folder / "input.txt").write_bytes(text.encode())
    return len(text)


def _yearly_sunspots(folder: Path) -> int:
    """Write the means of the years 1700 to 2008, one a line; return how many they are."""
    from statsmodels.datasets import sunspots

    table: Any = sunspots.load_pandas().data
    lines = [f"{year:.0f}    {mean:5.1f}" for year, mean in table.to_numpy()]
    text = "\n".join(["YEARLY MEAN SUNSPOT NUMBERS", *lines, ""])
    (folder / "sunspots_monthly.dat").write_bytes(text.encode())
    return len(lines)


DIGITS = Embedded(
    title="scikit-learn's digits",
    unit="training images of 8×8",
    address="sklearn.datasets.load_digits",
    licence="CC BY 4.0",
    citation="E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine "
    "Learning Repository, 1998.",
    write=_digits,
)
HELP_TEXTS = Embedded(
    title="Python's own help texts",
    unit="characters",
    address="pydoc_data.topics",
    licence="Python Software Foundation License, version 2",
    citation="Python Software Foundation, The Python Language Reference.",
    write=_help_texts,
)
YEARLY_SUNSPOTS = Embedded(
    title="statsmodels' yearly sunspots",
    unit="yearly means",
    address="statsmodels.datasets.sunspots",
    licence="public domain",
    citation="WDC-SILSO, Royal Observatory of Belgium, Brussels: international sunspot number, "
    "version 1, from the U.S. National Geophysical Data Center.",
    write=_yearly_sunspots,
)
