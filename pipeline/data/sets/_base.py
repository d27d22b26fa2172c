"""What every data set is, and what the kinds of data look like in memory."""

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from torch import Tensor

from pipeline.data.provenance import Provenance, verified
from pipeline.errors import UserError


@dataclass(frozen=True)
class PictureSet:
    """Grey pictures, 0..255, N of them with H rows and W columns, and their classes."""

    train_x_NHW: Tensor
    train_y_N: Tensor
    test_x_NHW: Tensor
    test_y_N: Tensor
    classes: int
    provenance: Provenance


@dataclass(frozen=True)
class Text:
    """Characters as indices into ``alphabet``, cut in order."""

    train_N: Tensor
    valid_N: Tensor
    test_N: Tensor
    alphabet: str
    provenance: Provenance


@dataclass(frozen=True)
class Series:
    """Values at equal steps of time, in their own unit, cut in order."""

    train_N: Tensor
    held_out_N: Tensor
    provenance: Provenance


Loaded = TypeVar("Loaded", PictureSet, Text, Series)


class Dataset(abc.ABC, Generic[Loaded]):
    """Files -> tensors; the data set's name is that of the file that defines it."""

    def load(self, root: Path = Path("data")) -> Loaded:
        """Return the data set as ``python -m pipeline fetch`` left it below ``root``.

        Raises:
            UserError: it is not there, its files are not those that were fetched, or they do
                not hold what they should.
        """
        name = type(self).__module__.rpartition(".")[2]
        folder, provenance = verified(name, root)
        try:
            return self.read(folder, provenance)
        except BadFileError as error:
            remedy = f"delete it and fetch again: python -m pipeline fetch {name}"
            raise UserError(f"{error}; {remedy}") from None

    @abc.abstractmethod
    def read(self, folder: Path, provenance: Provenance) -> Loaded:
        """Read the files; BadFileError where one does not hold what it should."""


class BadFileError(Exception):
    """A file and what is wrong with it, in one line."""
