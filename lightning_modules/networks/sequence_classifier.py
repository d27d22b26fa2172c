"""One class for a whole sentence, from the states of a recurrent layer over its words.

    h_1 … h_T = layer(e_1 … e_T)
    s = h_T  (last)        s = Σ h_t / T  (mean)        s_i = max_t h_t,i  (maximum)
    z = classifier(s)

For the words' vectors e see ``_words.py``; for reading one way or both ways ``_recurrent.py``: the
last state of the direction that goes back is that at the first word. The classifier is linear, or
an MLP of ``hidden`` layers. By pooling, error reaches h_T alone (last), every h_t (mean), or one
h_t for each unit (maximum). z is repeated at every step; let the mask count one. Padding, id 0,
changes nothing. Trained by automatic differentiation alone.

Cost: O(T H (H + E)) a sentence.

References:
    Collobert, Weston, Bottou, Karlen, Kavukcuoglu & Kuksa (2011), Natural language processing
        (almost) from scratch, Journal of Machine Learning Research 12: the maximum over time.
    Conneau, Kiela, Schwenk, Barrault & Bordes (2017), Supervised learning of universal sentence
        representations from natural language inference data, EMNLP: BiLSTM, last, mean, maximum.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.networks._recurrent import Directions
from lightning_modules.networks._words import WordVectors
from lightning_modules.networks.mlp import MLP
from lightning_modules.registry import UnknownNameError, nearest

POOLINGS = ("last", "mean", "maximum")


@final
class SequenceClassifier(nn.Module):
    """Words, and their characters, to one class."""

    def __init__(
        self,
        words: int,
        output_size: int,
        *,
        pooling: str,
        word_size: int,
        hidden_size: int,
        layer: str = "lstm",
        both: bool = False,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        characters: int = 0,
        character_size: int = 0,
        character_units: int = 0,
    ):
        """Build it for ids below ``words`` and ``characters``, 0 being padding.

        ``dropout`` is of the words' vectors and of what the classifier sees.
        """
        super().__init__()
        if pooling not in POOLINGS:
            hint = nearest(pooling, POOLINGS)
            raise UnknownNameError(f"{pooling!r} is not one of the poolings: {hint}")
        self.pooling = pooling
        self.vectors = WordVectors(words, word_size, characters, character_size, character_units)
        self.dropout = nn.Dropout(dropout)
        self.states = Directions(layer, self.vectors.size, hidden_size, both)
        self.pooled = nn.Dropout(dropout)
        self.classifier = MLP(self.states.size, output_size, hidden)

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return each sentence's outputs, the same at every step, (T, B, O)."""
        e_TBE, there_TB, lengths_B = self.vectors(x_TBI)
        h_TBH = self.states(self.dropout(e_TBE), lengths_B)
        z_BO = self.classifier(self.pooled(self._pool(h_TBH, there_TB, lengths_B)))
        return z_BO.expand(len(x_TBI), -1, -1)

    def _pool(self, h_TBH: Tensor, there_TB: Tensor, lengths_B: Tensor) -> Tensor:
        """Return one vector a sentence, (B, H)."""
        if self.pooling == "last":
            return self.states.last(h_TBH, lengths_B)
        padding_TB1 = ~there_TB.unsqueeze(-1)
        if self.pooling == "mean":
            return h_TBH.masked_fill(padding_TB1, 0).sum(dim=0) / lengths_B.unsqueeze(-1)
        least = torch.finfo(h_TBH.dtype).min
        return h_TBH.masked_fill(padding_TB1, least).amax(dim=0)
