"""What the encoder–decoders share: two embeddings, a recurrent encoder, an autoregressive decoder.

    m_s = [GRU(D x_s, m_{s-1}) ; GRU(D x_s, m_{s+1})]     the source, s = 1 … S, one way or both
    h_0 = m_S, or tanh(P [forward m_S ; backward m_1])
    h_t = GRU(√E F y_{t-1}, h_{t-1})     o_t = what the decoder shows        z_t = F o_t + c

x has two columns: the source, and the decoder's inputs, which are the targets delayed by one step
after a token that begins them. Token 0 is padding, at the end of either. Embedding and readout
share F, whose entries have variance 1/E: outputs are then of order 1, and with √E so are the
decoder's inputs.

For reading a source both ways, and for padding, see ``_recurrent.py``.

It trains by automatic differentiation alone. A step costs O(H²), and O(V E) for V words.

References:
    Sutskever, Vinyals & Le (2014), Sequence to sequence learning with neural networks, NeurIPS,
        arXiv:1409.3215.
    Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk & Bengio (2014), Learning phrase
        representations using RNN encoder–decoder, EMNLP, arXiv:1406.1078.
    Press & Wolf (2017), Using the output embedding to improve language models, EACL.
    Bengio, Vinyals, Jaitly & Shazeer (2015), Scheduled sampling for sequence prediction with
        recurrent neural networks, NeurIPS, arXiv:1506.03099: shares of teacher forcing below 1.
"""

import abc
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lightning_modules.checks import above, whole
from lightning_modules.networks._ids import ids
from lightning_modules.networks._recurrent import Directions

PADDING = 0


class Encoded(NamedTuple):
    """Sources that have been read: S steps of B samples."""

    memory_SBM: Tensor
    """The state after each token; states after a sample's last token mean nothing."""
    is_token_SB: Tensor
    state_BH: Tensor
    """What the decoder starts from."""

    def of(self, sample_N: Tensor) -> "Encoded":
        """Return the samples with these numbers; a number may be given several times."""
        memory_SNM, is_token_SN = self.memory_SBM[:, sample_N], self.is_token_SB[:, sample_N]
        return Encoded(memory_SNM, is_token_SN, self.state_BH[sample_N])


class Transducer(nn.Module, abc.ABC):
    """From a source and the beginning of a target to scores of the next token, (T, B, O)."""

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden_size: int,
        embedding_size: int,
        both_ways: bool = False,
        dropout: float = 0.0,
        teacher_forcing: float = 1.0,
    ):
        """Build it for ``input_size`` tokens of the source and ``output_size`` of the target.

        ``teacher_forcing`` is the share of steps at which a decoder in training is fed the target;
        at the others it is fed its own choice. ValueError for sizes and shares that cannot be.
        """
        super().__init__()
        whole(1, hidden_size=hidden_size, embedding_size=embedding_size)
        whole(2, input_size=input_size, output_size=output_size)
        above(0, or_equal=True, most=1, dropout=dropout, teacher_forcing=teacher_forcing)
        self.teacher_forcing = teacher_forcing
        self.source = nn.Embedding(input_size, embedding_size)
        self.target = nn.Embedding(output_size, embedding_size)
        self.reader = Directions("gru", embedding_size, hidden_size, both_ways)
        self.memory_size = self.reader.size
        self.bridge = nn.Linear(self.memory_size, hidden_size) if both_ways else None
        self.decoder = nn.GRU(embedding_size, hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.bias_O = nn.Parameter(torch.zeros(output_size))
        nn.init.normal_(self.target.weight, std=embedding_size**-0.5)

    @abc.abstractmethod
    def shown(self, h_TBH: Tensor, encoded: Encoded) -> Tensor:
        """Return what the readout sees of the decoder's states, (T, B, E)."""

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return each step's outputs; in evaluation mode always teacher-forced."""
        source_TB, fed_TB = self._tokens(x_TBI)
        encoded = self.encode(source_TB)
        if not self.training or self.teacher_forcing == 1:
            return self.decode(fed_TB, encoded)
        return self._decode_by_choice(fed_TB, encoded)

    def encode(self, source_SB: Tensor) -> Encoded:
        """Read the sources; one without a token is read as a token of padding."""
        length_B = (source_SB != PADDING).sum(dim=0).clamp(min=1)
        is_token_SB = torch.arange(len(source_SB), device=source_SB.device)[:, None] < length_B
        memory_SBM = self.reader(self.dropout(self.source(source_SB)), length_B)
        state_BM = self.reader.last(memory_SBM, length_B)
        state_BH = state_BM if self.bridge is None else self.bridge(state_BM).tanh()
        return Encoded(memory_SBM, is_token_SB, state_BH)

    def decode(self, fed_TB: Tensor, encoded: Encoded) -> Tensor:
        """Return the outputs of a decoder that is fed these tokens, all steps at once."""
        return self._decoded(fed_TB, encoded.state_BH, encoded)[0]

    def step(self, fed_B: Tensor, h_BH: Tensor, encoded: Encoded) -> tuple[Tensor, Tensor]:
        """Return the outputs of one step, (B, O), and the decoder's next state."""
        z_1BO, h_BH = self._decoded(fed_B[None], h_BH, encoded)
        return z_1BO[0], h_BH

    def _decoded(self, fed_TB: Tensor, h_BH: Tensor, encoded: Encoded) -> tuple[Tensor, Tensor]:
        e_TBE = self.target(fed_TB) * self.target.embedding_dim**0.5
        h_TBH, last_1BH = self.decoder(self.dropout(e_TBE), h_BH[None])
        o_TBE = self.dropout(self.shown(h_TBH, encoded))
        return nn.functional.linear(o_TBE, self.target.weight, self.bias_O), last_1BH[0]

    def _decode_by_choice(self, fed_TB: Tensor, encoded: Encoded) -> Tensor:
        """Return the outputs of a decoder that is fed its own choices in part."""
        is_given_TB = torch.rand(fed_TB.shape, device=fed_TB.device) < self.teacher_forcing
        is_given_TB[0] = True  # nothing was chosen yet
        h_BH, chosen_B, outputs = encoded.state_BH, fed_TB[0], []
        for given_B, is_given_B in zip(fed_TB, is_given_TB, strict=True):
            z_BO, h_BH = self.step(torch.where(is_given_B, given_B, chosen_B), h_BH, encoded)
            chosen_B = z_BO.detach().argmax(dim=-1)
            outputs.append(z_BO)
        return torch.stack(outputs)

    def _tokens(self, x_TBI: Tensor) -> Tensor:
        """Return both columns as whole numbers, (2, T, B); ValueError for what holds none."""
        if x_TBI.shape[-1] != 2:
            raise ValueError(
                f"x is {(*x_TBI.shape,)}: its columns are source and decoder inputs, (T, B, 2)"
            )
        most = max(self.source.num_embeddings, self.target.num_embeddings)
        return ids(x_TBI, most).permute(2, 0, 1)
