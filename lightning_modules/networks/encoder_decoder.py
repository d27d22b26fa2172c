"""Encoder–decoder: all that the decoder knows of the source is the state that it starts from.

    o_t = tanh(W h_t + b)

The other equations, and the inputs, are in ``_transducer.py``. Error reaches the encoder only
through its last state, or, if it reads both ways, through the last state of each direction.

References:
    Sutskever, Vinyals & Le (2014), Sequence to sequence learning with neural networks, NeurIPS,
        arXiv:1409.3215. Here with GRUs of one layer, and the source in its own order.
"""

from typing import Any, final

from torch import Tensor, nn

from lightning_modules.networks._transducer import Encoded, Transducer


@final
class EncoderDecoder(Transducer):
    """Without attention."""

    def __init__(
        self, input_size: int, output_size: int, hidden_size: int, embedding_size: int, **how: Any
    ):
        """Build it; ``how`` is ``Transducer``'s."""
        super().__init__(input_size, output_size, hidden_size, embedding_size, **how)
        self.show = nn.Linear(hidden_size, embedding_size)

    def shown(self, h_TBH: Tensor, encoded: Encoded) -> Tensor:
        """Return o of the states alone."""
        del encoded
        return self.show(h_TBH).tanh()
