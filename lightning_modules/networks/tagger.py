"""A label for every word of a sentence, while it is read: synchronous sequence to sequence.

    h_1 … h_T = layer(e_1 … e_T)        z_t = V h_t + c

For the words' vectors e, with or without characters, see ``_words.py``. Read one way, h_t has seen
the words up to t; read both ways (``_recurrent.py``), all of them. Padding, id 0, does not change
the outputs of words; its own outputs have to be masked. Trained by automatic differentiation alone.

Cost: O(H (H + E)) a word.

References:
    Elman (1990), Finding structure in time, Cognitive Science 14(2).
    Plank, Søgaard & Goldberg (2016), Multilingual part-of-speech tagging with bidirectional long
        short-term memory models and auxiliary loss, ACL.
"""

from typing import final

from torch import Tensor, nn

from lightning_modules.networks._recurrent import Directions
from lightning_modules.networks._words import WordVectors


@final
class Tagger(nn.Module):
    """Words, and their characters, to a label each."""

    def __init__(
        self,
        words: int,
        output_size: int,
        *,
        word_size: int,
        hidden_size: int,
        layer: str = "lstm",
        both: bool = False,
        dropout: float = 0.0,
        characters: int = 0,
        character_size: int = 0,
        character_units: int = 0,
    ):
        """Build it for ids below ``words`` and ``characters``, 0 being padding.

        ``dropout`` is of the words' vectors and of the states.
        """
        super().__init__()
        self.vectors = WordVectors(words, word_size, characters, character_size, character_units)
        self.dropout = nn.Dropout(dropout)
        self.states = Directions(layer, self.vectors.size, hidden_size, both)
        self.read = nn.Dropout(dropout)
        self.readout = nn.Linear(self.states.size, output_size)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return every word's outputs, (T, B, O)."""
        e_TBE, _, lengths_B = self.vectors(x_TBI)
        return self.readout(self.read(self.states(self.dropout(e_TBE), lengths_B)))
