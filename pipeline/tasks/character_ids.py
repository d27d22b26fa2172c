"""The next character of a text, inputs being the characters' numbers: what an embedding reads.

``next_character`` is the same with one-hot inputs. The test part is the text's last tenth: the
validation part, which nothing was chosen by, and the rest. It is one stream from a zero state, and
its first character comes after the training part's last.
"""

from collections.abc import Iterable

import torch

from pipeline.data.sets._base import Text
from pipeline.tasks._tokens import TokenStreams


class CharacterIds(TokenStreams):
    """Numbers are places in the text's alphabet."""

    def __init__(self, text: Text, seed: int, batch_size: int, length: int, held_out_size: int):
        """Cut the text; ``held_out_size`` counts characters."""
        self._alphabet = text.alphabet
        parts = text.train_N, text.valid_N, torch.cat([text.valid_N, text.test_N])
        of = {"seed": seed, "batch_size": batch_size, "length": length}
        types, before = len(text.alphabet), int(text.train_N[-1])
        super().__init__(parts, text.provenance, types, before, held_out_size=held_out_size, **of)

    def numbers(self, text: str) -> list[int]:
        """Return the characters' numbers; ValueError for one that the alphabet lacks."""
        for character in text:
            if character not in self._alphabet:
                raise ValueError(
                    f"{character!r} is not one of the {len(self._alphabet)} characters that the "
                    f"model knows: {self._alphabet!r}"
                )
        return [self._alphabet.index(character) for character in text]

    def text(self, tokens: Iterable[int]) -> str:
        """Return the characters side by side."""
        return "".join(self._alphabet[token] for token in tokens)
