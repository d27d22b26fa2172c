"""The class of a whole sentence, such as what it asks for.

Words are runs of letters and digits, with what follows an apostrophe, in small letters, and every
other mark for itself. The held-out sentences are taken from the training part, spread evenly over
it, the same for every seed.
"""

import re

from lightning_modules.checks import whole
from pipeline.data.sets._base import LabelledText
from pipeline.tasks._sentences import Parts, Sentence, Sentences, spread

WORD = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]")


class SentenceClass(Sentences):
    """One label a sentence, which counts once."""

    def __init__(
        self,
        text: LabelledText,
        seed: int,
        batch_size: int,
        held_out_size: int,
        train_size: int | None = None,
        spelling: bool = False,
        unknown_rate: float = 0.5,
    ):
        """Hold ``held_out_size`` sentences of the training part out; see ``Sentences``."""
        whole(1, held_out_size=held_out_size)
        there, of = len(text.train), text.provenance
        held_out = of.as_many(there // 2, "sentences to hold out", held_out_size=held_out_size)
        out = set(spread(held_out, there).tolist())
        number = {label: i for i, label in enumerate(text.labels)}
        train, test = (
            [Sentence(words_of(s.text), (number[s.label],)) for s in part]
            for part in (text.train, text.test)
        )
        parts = Parts(
            [s for i, s in enumerate(train) if i not in out],
            [train[i] for i in sorted(out)],
            test,
            of,
        )
        super().__init__(
            parts, len(text.labels), seed, batch_size, train_size, spelling, unknown_rate
        )


def words_of(text: str) -> tuple[str, ...]:
    """Return a sentence's words; the sentence itself where it has none."""
    return tuple(WORD.findall(text.lower())) or (text,)
