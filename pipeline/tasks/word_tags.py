"""A tag for every word of a sentence, such as its part of speech.

Words are as they stand, capitals too. The text has a part to hold out.
"""

from lightning_modules.checks import whole
from pipeline.data.sets._base import TaggedSentence, TaggedText
from pipeline.tasks._sentences import Parts, Sentence, Sentences, spread


class WordTags(Sentences):
    """A label a word, each of which counts."""

    def __init__(
        self,
        text: TaggedText,
        seed: int,
        batch_size: int,
        held_out_size: int,
        train_size: int | None = None,
        spelling: bool = False,
        unknown_rate: float = 0.5,
    ):
        """Hold ``held_out_size`` sentences of the validation part out; see ``Sentences``."""
        whole(1, held_out_size=held_out_size)
        there, of = len(text.valid), text.provenance
        held_out = of.as_many(there, "sentences to validate on", held_out_size=held_out_size)
        number = {tag: i for i, tag in enumerate(text.tags)}

        def labelled(sentence: TaggedSentence) -> Sentence:
            return Sentence(sentence.words, tuple(number[tag] for tag in sentence.tags))

        parts = Parts(
            [labelled(s) for s in text.train],
            [labelled(text.valid[i]) for i in spread(held_out, there)],
            [labelled(s) for s in text.test],
            of,
        )
        super().__init__(
            parts, len(text.tags), seed, batch_size, train_size, spelling, unknown_rate
        )
