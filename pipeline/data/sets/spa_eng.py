"""English and Spanish: 118,964 pairs of sentences from Tatoeba, 102,904 distinct English ones.

One zip archive with a text, ``English<TAB>Spanish`` a line, the shortest first. There is no
official split. A sentence may have several translations and be that of several others, so pairs
that share a side, directly or over others, form a group (a connected component), and a group goes
into one part as a whole: 90 % / 5 % / 5 % of the groups for training, validation, testing, by a
hash of the group's first English sentence. (Of a random split's test part, 22.8 % of the English
sides occur in training; of one by English side, 8.8 % of the Spanish ones.)

References:
    Tatoeba, https://tatoeba.org; C. Kelly, https://www.manythings.org/anki/, edition of 2018-05-13.
"""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, Pair, PairedText
from pipeline.data.sets._files import decoded, whole_lines

MEMBER = "spa-eng/spa.txt"
PARTS = 20
TEST, VALID = 0, 1
"""Of as many parts of the groups; the rest is for training."""


class SpaEng(Dataset[PairedText]):
    """The archive as published, or another of the same form."""

    def read(self, folder: Path, provenance: Provenance) -> PairedText:
        """Return the three parts, each in the order of the file."""
        path = folder / "spa-eng.zip"
        pairs = _pairs(path)
        part_N = _parts(pairs)
        test, valid = (_of(pairs, part_N == part) for part in (TEST, VALID))
        train = _of(pairs, part_N > VALID)
        if not (train and valid and test):
            raise BadFileError(f"{path}: {len(pairs)} pairs, too few to be cut in three")
        seen = {_letters(pair.target) for pair in train}
        unseen_N = torch.tensor([_letters(pair.target) not in seen for pair in test])
        return PairedText(train, valid, test, unseen_N, provenance)


def _of(pairs: list[Pair], wanted_N: np.ndarray) -> tuple[Pair, ...]:
    return tuple(pairs[number] for number in np.flatnonzero(wanted_N))


def _letters(sentence: str) -> str:
    """Return the letters and digits of a sentence without their case."""
    return "".join(filter(str.isalnum, sentence.casefold()))


def _parts(pairs: list[Pair]) -> np.ndarray:
    """Return the part, (N,) integers from 0 to 19, into which each pair's group goes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sources, targets = dict[str, int](), dict[str, int]()
    source_N = np.array([sources.setdefault(pair.source, len(sources)) for pair in pairs])
    target_N = np.array([targets.setdefault(pair.target, len(targets)) for pair in pairs])
    sides = len(sources) + len(targets)
    shared = coo_array(
        (np.ones(len(pairs)), (source_N, target_N + len(sources))), shape=(sides, sides)
    )
    _, group_of_side = connected_components(shared, directed=False)
    _, first, group_N = np.unique(group_of_side[source_N], return_index=True, return_inverse=True)
    digests = (hashlib.sha256(pairs[number].source.encode()).digest() for number in first)
    return np.array([int.from_bytes(digest[:8]) % PARTS for digest in digests])[group_N]


def _pairs(path: Path) -> list[Pair]:
    """Return the pairs in the order of the file."""
    member = f"{path}: {MEMBER}"
    lines = whole_lines(decoded(_unpacked(path), member), member)
    pairs: list[Pair] = []
    for number, line in enumerate(lines, 1):
        sides = line.split("\t")
        if len(sides) != 2 or not all(side.strip() for side in sides):
            raise BadFileError(
                f"{member}: line {number} is no pair of sentences with a tab between"
            )
        pairs.append(Pair(*sides))
    return pairs


def _unpacked(path: Path) -> bytes:
    """Return the text in the archive; BadFileError if it is damaged or lacks it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(MEMBER)
    except KeyError:
        raise BadFileError(f"{path}: there is no {MEMBER} in it") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise BadFileError(f"{path}: not a sound zip file ({error})") from None
