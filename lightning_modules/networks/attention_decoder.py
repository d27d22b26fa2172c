"""Encoder–decoder with attention: at each step the decoder looks at every state of the encoder.

    a_ts = softmax over s of h_t' A m_s      c_t = Σ_s a_ts m_s      o_t = tanh(W [h_t; c_t] + b)

Luong's global attention with his "general" score. What was attended to is not fed to the next step,
so when the decoder is fed the target, attention is computed for all steps at once. The other
equations are in ``_transducer.py``. Attention costs O(S H) a step.

References:
    Luong, Pham & Manning (2015), Effective approaches to attention-based neural machine
        translation, EMNLP, arXiv:1508.04025: equations 5 to 8.
    Bahdanau, Cho & Bengio (2015), Neural machine translation by jointly learning to align and
        translate, ICLR, arXiv:1409.0473: the first attention; it looks before the state moves, by
        a layer of tanh.
"""

import math
from typing import Any, final

from torch import Tensor, nn

from lightning_modules.networks._transducer import Encoded, Transducer


@final
class AttentionDecoder(Transducer):
    """With attention over all states of the encoder."""

    def __init__(
        self, input_size: int, output_size: int, hidden_size: int, embedding_size: int, **how: Any
    ):
        """Build it; ``how`` is ``Transducer``'s."""
        super().__init__(input_size, output_size, hidden_size, embedding_size, **how)
        self.score = nn.Linear(self.memory_size, hidden_size, bias=False)
        self.show = nn.Linear(hidden_size, embedding_size)
        self.show_context = nn.Linear(self.memory_size, embedding_size, bias=False)

    def shown(self, h_TBH: Tensor, encoded: Encoded) -> Tensor:
        """Return o, made of each state and of what it attends to."""
        memory_BSM = encoded.memory_SBM.transpose(0, 1)
        a_BTS = self.weights(h_TBH, encoded)
        c_TBM = (a_BTS @ memory_BSM).transpose(0, 1)
        return (self.show(h_TBH) + self.show_context(c_TBM)).tanh()

    def weights(self, h_TBH: Tensor, encoded: Encoded) -> Tensor:
        """Return how much each step looks at each token of the source, (B, T, S), sums of 1."""
        keys_BHS = self.score(encoded.memory_SBM).permute(1, 2, 0)
        score_BTS = h_TBH.transpose(0, 1) @ keys_BHS
        is_padding_B1S = ~encoded.is_token_SB.t().unsqueeze(1)
        return score_BTS.masked_fill(is_padding_B1S, -math.inf).softmax(dim=-1)
