"""MNIST: 60,000 + 10,000 handwritten digits, 28×28, in four gzipped IDX files.

An IDX file is a magic number (2051 for images, 2049 for labels), the size of each axis, all as
big-endian 32-bit integers, then the bytes.

References:
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
    recognition, Proceedings of the IEEE 86(11).
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, PictureSet

CLASSES = 10


class MNIST(Dataset[PictureSet]):
    """The four files as published, or others of the same form."""

    def read(self, folder: Path, provenance: Provenance) -> PictureSet:
        """Return both parts; their pictures are of one size."""
        train_x_NHW, train_y_N = _part(folder, "train")
        test_x_NHW, test_y_N = _part(folder, "t10k")
        if train_x_NHW.shape[1:] != test_x_NHW.shape[1:]:
            sizes = [f"{x.shape[1]}×{x.shape[2]}" for x in (test_x_NHW, train_x_NHW)]
            path = folder / "t10k-images-idx3-ubyte.gz"
            raise BadFileError(f"{path}: pictures of {sizes[0]}, those for training are {sizes[1]}")
        return PictureSet(train_x_NHW, train_y_N, test_x_NHW, test_y_N, CLASSES, provenance)


def _part(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Return the pictures, (N, H, W) bytes, and classes, (N,) integers, of one part."""
    images, labels = (folder / f"{part}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1"))
    x_NHW, y_N = _idx(images, 3), _idx(labels, 1)
    if len(x_NHW) != len(y_N):
        raise BadFileError(f"{labels}: {len(y_N)} labels for {len(x_NHW)} pictures")
    if y_N.max() >= CLASSES:
        raise BadFileError(f"{labels}: label {y_N.max()}, expected 0 to {CLASSES - 1}")
    return torch.from_numpy(x_NHW.copy()), torch.from_numpy(y_N.astype(np.int64))


def _idx(path: Path, axes: int) -> np.ndarray:
    """Return the array of bytes in a gzipped IDX file; BadFileError if it isn't one."""
    data = _unpacked(path)
    magic, start = 0x0800 | axes, 4 + 4 * axes
    if len(data) < start:
        raise BadFileError(f"{path}: {len(data)} bytes, shorter than an IDX header of {start}")
    found, *shape = (int(number) for number in np.frombuffer(data, ">u4", count=1 + axes))
    if found != magic:
        raise BadFileError(f"{path}: its magic number is {found}, expected {magic}")
    if math.prod(shape) != len(data) - start or not all(shape):
        size = "×".join(map(str, shape))
        raise BadFileError(f"{path}: its header says {size} items, {len(data) - start} follow")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _unpacked(path: Path) -> bytes:
    """Return what a gzip file holds; BadFileError if it is cut short or none."""
    try:
        return gzip.decompress(path.read_bytes())
    except EOFError:
        raise BadFileError(f"{path}: cut short, its gzip stream has no end") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadFileError(f"{path}: not a sound gzip file ({error})") from None
