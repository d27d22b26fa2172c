"""The next word of a text, ends of lines among them.

The vocabulary is that of the training part alone, numbered by falling frequency, as an adaptive
softmax wants it. A word that it lacks becomes ``<unk>``, which is a word like any other, predicted
and scored. Each part is read as if after an end of line.
"""

from collections.abc import Iterable

from pipeline.data.sets._base import Words
from pipeline.tasks._tokens import TokenStreams
from pipeline.tasks._vocabulary import UNKNOWN, Vocabulary

END = "<eos>"


class NextWord(TokenStreams):
    """Numbers are places in ``vocabulary``."""

    def __init__(self, text: Words, seed: int, batch_size: int, length: int, held_out_size: int):
        """Number the words; ``held_out_size`` counts words."""
        self.vocabulary = vocabulary(text)
        parts = tuple(self.vocabulary.ids(part) for part in (text.train, text.valid, text.test))
        before = int(self.vocabulary.ids([END]))
        of = {"seed": seed, "batch_size": batch_size, "length": length}
        types = len(self.vocabulary)
        super().__init__(parts, text.provenance, types, before, held_out_size=held_out_size, **of)

    def numbers(self, text: str) -> list[int]:
        """Return the words' numbers, ends of lines included; what is not known is ``<unk>``."""
        return self.vocabulary.ids(text.replace("\n", f" {END} ").split()).tolist()

    def text(self, tokens: Iterable[int]) -> str:
        """Return the words with spaces between them, a line for each end of line."""
        lines = " ".join(self.vocabulary.words(list(tokens))).split(END)
        return "\n".join(line.strip() for line in lines)


def vocabulary(text: Words) -> Vocabulary:
    """Return the words of the training part, and ``<unk>`` at the end where it has none."""
    of = Vocabulary.of(text.train, specials=())
    return of if UNKNOWN in of else Vocabulary((*of.words(range(len(of))), UNKNOWN))
