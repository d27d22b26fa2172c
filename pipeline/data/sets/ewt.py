"""Universal Dependencies English Web Treebank: 12,544 / 2,001 / 2,077 sentences, 17 tags.

A file in CoNLL-U has a line of ten columns, with tabs between them, for each word, and an empty
line after each sentence; lines that begin with # are comments. The word is the second column
(FORM), its universal tag the fourth (UPOS). What is no word is left out: ranges such as ``3-4``,
whose words follow one by one, and empty nodes such as ``8.1``. (The library conllu reads the same,
in a multiple of the time; the tests hold this reader to it.)

References:
    Silveira, Dozat, de Marneffe, Bowman, Connor, Bauer & Manning (2014), A Gold Standard Dependency
    Corpus for English, LREC.
"""

from pathlib import Path
from sys import intern

from pipeline.data.provenance import Provenance
from pipeline.data.sets._base import BadFileError, Dataset, TaggedSentence, TaggedText
from pipeline.data.sets._files import text_of, whole_lines

COLUMNS = 10


class EWT(Dataset[TaggedText]):
    """The three files as published, or others of the same form."""

    def read(self, folder: Path, provenance: Provenance) -> TaggedText:
        """Return the three parts; a tag of another part that training lacks is an error."""
        paths = [folder / f"en_ewt-ud-{part}.conllu" for part in ("train", "dev", "test")]
        train, valid, test = map(_sentences, paths)
        tags = _tags(train)
        for path, part in zip(paths[1:], (valid, test), strict=True):
            if unknown := _tags(part) - tags:
                raise BadFileError(f"{path}: tag {min(unknown)!r}, which {paths[0].name} lacks")
        return TaggedText(train, valid, test, tuple(sorted(tags)), provenance)


def _tags(sentences: tuple[TaggedSentence, ...]) -> set[str]:
    return {tag for sentence in sentences for tag in sentence.tags}


def _sentences(path: Path) -> tuple[TaggedSentence, ...]:
    """Return the sentences of a file in CoNLL-U."""
    found: list[TaggedSentence] = []
    words: list[str] = []
    tags: list[str] = []
    lines = whole_lines(text_of(path), path)
    for number, line in enumerate(lines, 1):
        if not line:
            if words:
                found.append(TaggedSentence(tuple(words), tuple(tags)))
            words, tags = [], []
        elif line[0] != "#":
            columns = line.split("\t")
            if len(columns) != COLUMNS:
                wrong = f"line {number} has {len(columns)} columns, not {COLUMNS}"
                raise BadFileError(f"{path}: {wrong}")
            if columns[0].isdecimal():
                if int(columns[0]) != len(words) + 1:
                    wrong = f"word {columns[0]} comes after word {len(words)}"
                    raise BadFileError(f"{path}: line {number}: {wrong}")
                words.append(intern(columns[1]))
                tags.append(intern(columns[3]))
    if words:
        raise BadFileError(f"{path}: cut short, no empty line ends its last sentence")
    if not found:
        raise BadFileError(f"{path}: no sentences in it")
    return tuple(found)
