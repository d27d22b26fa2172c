"""Language model: an embedding, recurrent layers, and a softmax over the next token.

    h^0_t = drop'(E[x_t])        h^l_t, s^l_t = layer_l(drop(h^{l-1}_t), s^l_{t-1})
    p(x_{t+1} | x_1 … x_t) = softmax(V drop(h^L_t) + c)

x holds token numbers in one column. The layers are torch.nn.RNN, GRU or LSTM, a module each, so
that ``training/watch`` sees every one; they learn by automatic differentiation alone. The same
system for this project's algorithms is ``Stack([Embedding(…), LSTM(…)])`` in a SequenceLearner.

Tied weights are V = E. The adaptive softmax needs tokens numbered by falling frequency: the most
frequent, below the first cutoff, each have an output of their own; the rarer ones fall into
clusters, each with one output and a softmax of its own behind it, over a projection that is
``divisor`` times smaller from cluster to cluster.

References:
    Mikolov, Karafiát, Burget, Černocký & Khudanpur (2010), Recurrent neural network based language
        model, Interspeech.
    Zaremba, Sutskever & Vinyals (2014), Recurrent neural network regularization, arXiv:1409.2329:
        dropout between layers, never from step to step.
    Grave, Joulin, Cissé, Grangier & Jégou (2017), Efficient softmax approximation for GPUs, ICML.
    Press & Wolf (2017), Using the output embedding to improve language models, EACL; Inan, Khosravi
        & Socher (2017), Tying word vectors and word classifiers, ICLR.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import above, whole
from lightning_modules.networks._ids import ids
from lightning_modules.networks._recurrent import layer_named

State = list[tuple[Tensor, ...]]
"""For each layer the state that torch's carries on, (1, B, H): h, and for an LSTM c, too."""


@final
class LanguageModel(nn.Module):
    """Token numbers, (T, B, 1), to the log probabilities of what comes next, (T, B, V)."""

    def __init__(
        self,
        types: int,
        embedding_size: int,
        hidden_size: int,
        layers: int = 1,
        layer: str = "lstm",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        tied: bool = False,
        cutoffs: Sequence[int] | None = None,
        divisor: float = 4.0,
        spread: float = 0.1,
    ):
        """Build ``layers`` layers of ``hidden_size`` units over a vocabulary of ``types``.

        ``dropout`` is the share of what leaves a layer that is dropped, ``input_dropout`` that
        of an embedding.
        ``cutoffs`` make the softmax adaptive; embeddings start uniform within ± ``spread``.
        UnknownNameError for an unknown layer, ValueError for options that do not fit.
        """
        super().__init__()
        whole(1, types=types, embedding_size=embedding_size, hidden_size=hidden_size, layers=layers)
        above(0, spread=spread)
        above(0, or_equal=True, most=0.99, dropout=dropout, input_dropout=input_dropout)
        kind: Any = layer_named(layer)
        if tied and cutoffs is not None:
            raise ValueError("tied and cutoffs were both given: an adaptive softmax is not tied")
        if tied and embedding_size != hidden_size:
            raise ValueError(
                f"tied weights have one size: embedding_size is {embedding_size}, hidden_size "
                f"{hidden_size}"
            )
        if cutoffs is not None and [0, *cutoffs, types] != sorted({0, *cutoffs, types}):
            raise ValueError(
                f"cutoffs are {[*cutoffs]}: they must rise between 0 and the {types} types"
            )
        if cutoffs is not None and hidden_size < divisor ** len(cutoffs):
            raise ValueError(
                f"divisor is {divisor}, hidden_size {hidden_size}: of {len(cutoffs)} clusters the "
                "last would be seen through no unit"
            )
        self.types = types
        self.embedding = nn.Embedding(types, embedding_size)
        nn.init.uniform_(self.embedding.weight, -spread, spread)
        self.input_dropout, self.dropout = nn.Dropout(input_dropout), nn.Dropout(dropout)
        sizes = [embedding_size] + [hidden_size] * layers
        self.layers = nn.ModuleList(kind(below, units) for below, units in pairwise(sizes))
        self.softmax: nn.Linear | nn.AdaptiveLogSoftmaxWithLoss
        if cutoffs is None:
            self.softmax = nn.Linear(hidden_size, types)
            if tied:
                self.softmax.weight = self.embedding.weight
        else:
            self.softmax = nn.AdaptiveLogSoftmaxWithLoss(
                hidden_size, types, list(cutoffs), div_value=divisor
            )

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Return the log probabilities, from a zero state."""
        return self.log_probabilities(self.read(x_TBI)[0])

    def read(
        self, x_TBI: Tensor, state: State | None = None, resets_TB: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Return the topmost h, dropout done, (T, B, H), and the state to go on from.

        Without a state the start is zero, as it is for a sample that is reset before a step.
        """
        h_TBH = self.input_dropout(self.embedding(ids(x_TBI[..., 0], self.types)))
        ends: State = []
        for number, layer in enumerate(self.layers):
            start = None if state is None else state[number]
            h_TBH, end = _through(layer, h_TBH, start, resets_TB)
            h_TBH = self.dropout(h_TBH)
            ends.append(end)
        return h_TBH, ends

    def nats(self, h_NH: Tensor, y_N: Tensor) -> Tensor:
        """Return -ln p of the targets, summed."""
        if isinstance(self.softmax, nn.Linear):
            return nn.functional.cross_entropy(self.softmax(h_NH), y_N, reduction="sum")
        return -self.softmax(h_NH, y_N).output.sum()

    def log_probabilities(self, h_TBH: Tensor) -> Tensor:
        """Return ln p of every type, (T, B, V)."""
        if isinstance(self.softmax, nn.Linear):
            return self.softmax(h_TBH).log_softmax(dim=-1)
        return self.softmax.log_prob(h_TBH.flatten(0, 1)).unflatten(0, h_TBH.shape[:2])


def _through(
    layer: nn.Module, x_TBI: Tensor, start: tuple[Tensor, ...] | None, resets_TB: Tensor | None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return a layer's h and where it ends, with a call for each stretch without resets."""
    T, B = x_TBI.shape[:2]
    resets_TB = None if resets_TB is None else resets_TB.bool()
    cuts = [] if resets_TB is None else resets_TB.any(dim=1).nonzero().flatten().tolist()
    bounds = sorted({0, *cuts, T})
    parts: list[Tensor] = []
    for first, last in pairwise(bounds):
        if start is not None and resets_TB is not None and first in cuts:
            gone_1B1 = resets_TB[first].view(1, B, 1)
            start = tuple(part.masked_fill(gone_1B1, 0) for part in start)
        given = start[0] if start is not None and len(start) == 1 else start
        h_TBH, end = layer(x_TBI[first:last], given)
        start = end if isinstance(end, tuple) else (end,)
        parts.append(h_TBH)
    assert start is not None
    return parts[0] if len(parts) == 1 else torch.cat(parts), start
