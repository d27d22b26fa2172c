"""Training steps of language models, timed beside the same models in plain PyTorch.

    words        two LSTM layers of 200, adaptive softmax, 40 streams of 35 words, clipping, SGD:
                 the study's learner under its Trainer, beside a loop of a few lines
    characters   an LSTM of ``units`` over one-hot characters, 50 streams of 64: our hand-written
                 BPTT, beside torch.nn.LSTM under automatic differentiation

Tokens are random, with the frequency of token r proportional to 1 / (r + 2.7), because the cost of
an adaptive softmax depends on it. float32, one thread (or a GPU with ``device=cuda``), timed as
``_timing`` says. ``of_plain`` is the median over rounds of the plain time over ours: 1 is as fast,
above 1 is faster. The target for words is .8.
"""

import statistics
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from benchmarks._timing import Work, in_turn, model, one_thread, quartile, several
from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.lstm import LSTM
from lightning_modules.interfaces import Batch, Task
from lightning_modules.networks.language_model import LanguageModel
from lightning_modules.training.clipping import Clip
from lightning_modules.training.fit import fit
from lightning_modules.training.learner import Learner
from lightning_modules.training.sequence import SequenceLearner
from lightning_modules.training.stream import StreamLearner

TARGET = 0.8
"""The least speed of the word model's step, as a share of the plain one's."""
CUTOFFS, CLASSES = (0.06, 0.3), 65
"""Cutoffs of the adaptive softmax, as shares of the vocabulary; the number of characters."""

Row = dict[str, Any]


class _Tokens(Task):
    """Streams of random tokens, as ids or one-hot; every batch is the same."""

    loss, streams = "cross_entropy", True

    def __init__(self, types: int, length: int, streams: int, hot: bool):
        rarity_V = 1 / (torch.arange(types) + 2.7)
        drawn_N = torch.multinomial(rarity_V, 2 * length * streams, replacement=True)
        x_TB, y_TB = drawn_N.view(2, length, streams).unbind()
        self.input_size, self.output_size = types if hot else 1, types
        x_TBI = one_hot(x_TB, types).float() if hot else x_TB.unsqueeze(-1)
        flags_TB = torch.ones(length, streams, dtype=torch.bool)
        self._batch = Batch(x_TBI, y_TB, flags_TB, ~flags_TB)

    def batch(self, index: int) -> Batch:
        """Return the batch."""
        return self._batch

    def held_out(self):
        """Iterate over nothing: what is timed is training."""
        return iter(())


def run(
    types: int = 33_278, units: int | tuple[int, ...] = (128, 512), steps: int = 8,
    device: str = "cpu",
) -> list[Row]:  # fmt: skip
    """Return a row for the word model and one for each size of the character model."""
    with one_thread(device):
        rows = [_words(types, steps, device)]
        return rows + [_characters(n, steps, device) for n in several(units)]


def _words(types: int, steps: int, device: str) -> Row:
    """Measure the word model."""
    torch.manual_seed(0)
    task = _Tokens(types, length=35, streams=40, hot=False)
    cutoffs = [max(1, int(types * share)) for share in CUTOFFS]
    options: Any = {"layers": 2, "dropout": 0.2, "input_dropout": 0.2, "divisor": 2.0}
    network = LanguageModel(types, 200, 200, cutoffs=cutoffs, **options)
    learner = StreamLearner(network, "sgd", 1.0, Clip("norm", 0.25))
    plain = _PlainWords(types, cutoffs).to(device)
    row = _row(learner, task, plain, steps, device)
    held = {"target": TARGET, "holds": row["of_plain"] >= TARGET}
    return {"model": "words", "units": "2 of 200", "on": model(device), **row, **held}


def _characters(units: int, steps: int, device: str) -> Row:
    """Measure the character model."""
    torch.manual_seed(0)
    task = _Tokens(CLASSES, length=64, streams=50, hot=True)
    cell, clip = LSTM(CLASSES, units), Clip("norm", 1.0)
    ours = SequenceLearner(cell, CLASSES, "cross_entropy", BPTT(), None, "sgd", 1e-3, clip)
    row = _row(ours, task, _PlainCharacters(units).to(device), steps, device)
    return {"model": "characters", "units": units, "on": model(device), **row}


def _row(learner: Learner, task: _Tokens, plain: nn.Module, steps: int, device: str) -> Row:
    """Return the times of a step, and their ratio."""
    times = in_turn(
        {"ours": _fitting(learner, task, steps, device), "plain": _looping(plain, task, steps)},
        device=device,
    )
    pairs = zip(times["plain"], times["ours"], strict=True)
    return {
        "ours_ms": 1e3 * quartile(times["ours"]),
        "plain_ms": 1e3 * quartile(times["plain"]),
        "of_plain": statistics.median(plain / ours for plain, ours in pairs),
    }


def _fitting(learner: Learner, task: _Tokens, steps: int, device: str) -> Work:
    """Return the work of training under the Trainer, including its start and end."""
    kind = "cpu" if device == "cpu" else "gpu"

    def go() -> None:
        fit(learner, task, steps=steps, evaluate_every=steps, seed=0, accelerator=kind)

    return go, steps


def _looping(plain: nn.Module, task: _Tokens, steps: int) -> Work:
    """Return the work of the plain loop."""
    at = next(plain.parameters()).device
    x_TBI, y_TB = (part.to(at) for part in task.batch(0)[:2])
    optimizer = torch.optim.SGD(plain.parameters(), lr=1e-3)

    def go() -> None:
        state = None
        for _ in range(steps):
            loss, state = plain(x_TBI, y_TB, state)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(plain.parameters(), 0.25)
            optimizer.step()

    return go, steps


class _PlainWords(nn.Module):
    """The word model in plain PyTorch."""

    def __init__(self, types: int, cutoffs: list[int]):
        super().__init__()
        self.embedding, self.drop = nn.Embedding(types, 200), nn.Dropout(0.2)
        self.lstm = nn.LSTM(200, 200, num_layers=2, dropout=0.2)
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(200, types, cutoffs, div_value=2.0)

    def forward(self, x_TBI: Tensor, y_TB: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return the mean loss and the state to go on from."""
        h_TBH, state = self.lstm(self.drop(self.embedding(x_TBI[..., 0])), state)
        loss = self.softmax(self.drop(h_TBH).flatten(0, 1), y_TB.flatten()).loss
        return loss, tuple(part.detach() for part in state)


class _PlainCharacters(nn.Module):
    """The character model in plain PyTorch, on the same one-hot inputs."""

    def __init__(self, units: int):
        super().__init__()
        self.lstm, self.readout = nn.LSTM(CLASSES, units), nn.Linear(units, CLASSES)

    def forward(self, x_TBI: Tensor, y_TB: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return the mean loss and the state to go on from."""
        h_TBH, state = self.lstm(x_TBI, state)
        loss = cross_entropy(self.readout(h_TBH).flatten(0, 1), y_TB.flatten())
        return loss, tuple(part.detach() for part in state)
