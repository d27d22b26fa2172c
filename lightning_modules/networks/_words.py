"""Words as vectors: a word's own vector, and one made of its characters.

x holds ids: column 0 the word's, further columns those of its characters from the first on. 0 is
padding, after the last word of a sentence and the last character of a word.

    e = [E_w word, last states of a bidirectional LSTM over the word's characters]

A word that occurs several times in a batch is spelt once. Vectors start normal with a standard
deviation of 0.1, not 1 as torch's do: most words are rare, so their vectors stay near their start.

References:
    Ling, Luís, Marujo, Astudillo, Amir, Dyer, Black & Trancoso (2015), Finding function in form:
        compositional character models for open vocabulary word representation, EMNLP.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from lightning_modules.checks import whole
from lightning_modules.networks._ids import ids

DEVIATION = 0.1
"""The standard deviation of the numbers that a vector starts with."""


class Sentences(NamedTuple):
    """The vectors of sentences' words, and where there are words."""

    e_TBE: Tensor
    """Zero where there is padding."""
    there_TB: Tensor
    """False where there is padding."""
    lengths_B: Tensor
    """The number of words of each sentence, at least 1."""


@final
class WordVectors(nn.Module):
    """Word ids, and characters where ``characters`` counts them, to ``size`` numbers a word."""

    def __init__(
        self,
        words: int,
        word_size: int,
        characters: int = 0,
        character_size: int = 0,
        character_units: int = 0,
    ):
        """``words`` and ``characters`` count ids, 0 included; ``character_units`` are each way's.

        Without ``characters`` words have their own vectors alone.
        """
        super().__init__()
        whole(1, words=words, word_size=word_size)
        if len({size > 0 for size in (characters, character_size, character_units)}) > 1:
            raise ValueError(
                f"characters is {characters}, character_size {character_size}, character_units "
                f"{character_units}: all are above 0, or all 0"
            )
        self.size = word_size + 2 * character_units
        self.word = nn.Embedding(words, word_size)
        nn.init.normal_(self.word.weight, std=DEVIATION)
        self.character = self.spelling = None
        if characters:
            self.character = nn.Embedding(characters, character_size)
            nn.init.normal_(self.character.weight, std=DEVIATION)
            self.spelling = nn.LSTM(character_size, character_units, bidirectional=True)

    def forward(self, x_TBI: Tensor) -> Sentences:
        """Return the words' vectors; ValueError for ids that the type of x cannot tell apart."""
        ids_TBI = ids(x_TBI, self.word.num_embeddings)
        there_TB = ids_TBI[..., 0] != 0
        e_TBE = self.word(ids_TBI[..., 0])
        if self.spelling is not None:
            e_TBE = torch.cat([e_TBE, self._spelt(ids_TBI[..., 1:])], dim=-1)
        e_TBE = e_TBE.masked_fill(~there_TB.unsqueeze(-1), 0)
        return Sentences(e_TBE, there_TB, there_TB.sum(dim=0).clamp(min=1))

    def _spelt(self, ids_TBC: Tensor) -> Tensor:
        """Return the last states over each word's characters, both ways, (T, B, 2 H)."""
        assert self.character is not None
        assert self.spelling is not None
        ids_NC, at_TB = _distinct(ids_TBC)
        lengths_N = (ids_NC != 0).sum(dim=1).clamp(min=1).cpu()
        c_CNE = self.character(ids_NC.t())
        packed = pack_padded_sequence(c_CNE, lengths_N, enforce_sorted=False)
        _, (h_2NH, _) = self.spelling(packed)
        return torch.cat(h_2NH.unbind(), dim=-1)[at_TB]


def _distinct(ids_TBC: Tensor) -> tuple[Tensor, Tensor]:
    """Return each spelling once, (N, C), and where each word's is, (T, B)."""
    ids_NC, at_N = torch.unique(ids_TBC.flatten(0, 1), dim=0, return_inverse=True)
    return ids_NC, at_N.view(ids_TBC.shape[:2])
