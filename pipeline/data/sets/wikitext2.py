"""WikiText-2: 2,088,628 / 217,646 / 245,569 words of Wikipedia, 33,278 of them distinct.

The text is tokenised and its rare words are ``<unk>`` already. A token is what stands between white
space; the end of each line, of an empty one too, is a token of its own, ``<eos>``. It is these that
perplexity is a mean over: to leave out ``<eos>`` or ``<unk>`` makes it another figure.

References:
    Merity, Xiong, Bradbury & Socher (2016), Pointer Sentinel Mixture Models, arXiv:1609.07843.
"""

import sys
from pathlib import Path

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, Words
from pipeline.data.sets._files import text_of, whole_lines

PARTS = ("train", "valid", "test")
END = "<eos>"


class WikiText2(Dataset[Words]):
    """The three files as published, or others of the same form."""

    def read(self, folder: Path, provenance: Provenance) -> Words:
        """Return the three parts."""
        train, valid, test = (_words(folder / f"wiki.{part}.tokens") for part in PARTS)
        return Words(train, valid, test, provenance)


def _words(path: Path) -> tuple[str, ...]:
    """Return the tokens of a file, one object a word: there are sixty times as many as words."""
    lines = whole_lines(text_of(path), path)
    words = tuple(map(sys.intern, f" {END} ".join([*lines, ""]).split()))
    if len(words) == len(lines):
        raise BadFileError(f"{path}: no words in it")
    return words
