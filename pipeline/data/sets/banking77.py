"""Banking77: 10,003 + 3,080 questions to a bank, of 77 kinds; about 14 % of the labels are suspect.

Two files of comma-separated values under the header ``text,category``; a text in quotes may go over
several lines.

References:
    Casanueva, Temčinas, Gerz, Henderson & Vulić (2020), Efficient Intent Detection with Dual
    Sentence Encoders, 2nd Workshop on NLP for ConvAI, arXiv:2003.04807.
"""

import csv
import io
from pathlib import Path

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, LabelledSentence, LabelledText
from pipeline.data.sets._files import text_of

HEADER = ["text", "category"]


class Banking77(Dataset[LabelledText]):
    """The two files as published, or others of the same form."""

    def read(self, folder: Path, provenance: Provenance) -> LabelledText:
        """Return both parts; a kind that training lacks is an error."""
        train, test = (_questions(folder / f"{part}.csv") for part in ("train", "test"))
        labels = {sentence.label for sentence in train}
        if unknown := {sentence.label for sentence in test} - labels:
            wrong = f"category {min(unknown)!r}, which train.csv lacks"
            raise BadFileError(f"{folder / 'test.csv'}: {wrong}")
        return LabelledText(train, test, tuple(sorted(labels)), provenance)


def _questions(path: Path) -> tuple[LabelledSentence, ...]:
    """Return the questions of a file with their kinds."""
    reader = csv.reader(io.StringIO(text_of(path), newline=""), strict=True)
    found: list[LabelledSentence] = []
    try:
        if (header := next(reader, [])) != HEADER:
            raise BadFileError(f"{path}: its header is {','.join(header)!r}, not 'text,category'")
        for row in reader:
            if len(row) != len(HEADER) or not all(field.strip() for field in row):
                raise BadFileError(f"{path}: line {reader.line_num} is no text and its category")
            found.append(LabelledSentence(*row))
    except csv.Error as error:
        raise BadFileError(f"{path}: line {reader.line_num}: {error}") from None
    if not found:
        raise BadFileError(f"{path}: no questions in it")
    return tuple(found)
