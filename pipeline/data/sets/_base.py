"""The base class of all data sets, and the kinds of data as they are in memory."""

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

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


@dataclass(frozen=True)
class DatedSeries(Series):
    """A series whose dates are known: ``train_N`` begins with the first value of a year."""

    first: int
    """That year."""
    per_year: int
    """Values a year: 1 or 12."""


@dataclass(frozen=True)
class Words:
    """A text as tokens in order, ``<eos>`` at the end of each line counted."""

    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]
    provenance: Provenance


@dataclass(frozen=True)
class TaggedSentence:
    """The words of a sentence and the tag of each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class TaggedText:
    """Sentences with a tag a word."""

    train: tuple[TaggedSentence, ...]
    valid: tuple[TaggedSentence, ...]
    test: tuple[TaggedSentence, ...]
    tags: tuple[str, ...]
    """The tags of the training part, sorted."""
    provenance: Provenance


@dataclass(frozen=True)
class LabelledSentence:
    """A sentence as it was written and its class."""

    text: str
    label: str


@dataclass(frozen=True)
class LabelledText:
    """Sentences with a class each; what is held out to choose by is taken from ``train``."""

    train: tuple[LabelledSentence, ...]
    test: tuple[LabelledSentence, ...]
    labels: tuple[str, ...]
    """The classes of the training part, sorted."""
    provenance: Provenance


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation, as they were written."""

    source: str
    target: str


@dataclass(frozen=True)
class PairedText:
    """Sentences with their translations; no sentence of either side is in two parts."""

    train: tuple[Pair, ...]
    valid: tuple[Pair, ...]
    test: tuple[Pair, ...]
    unseen_N: Tensor
    """Of each test pair, whether no training pair has its target, even when only letters and
    digits are compared, without their case."""
    provenance: Provenance


Loaded = TypeVar("Loaded", PictureSet, Text, Series)
if TYPE_CHECKING:  # the statement above is in the hash of measured trials, so it stays as it is
    Loaded = TypeVar(
        "Loaded",
        PictureSet,
        Text,
        Series,
        DatedSeries,
        Words,
        TaggedText,
        LabelledText,
        PairedText,
    )


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
