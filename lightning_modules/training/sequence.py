"""Learning sequences by any algorithm that gives a cell's gradient.

A batch is cut into chunks of ``update_every`` steps. The algorithm goes through a chunk with fixed
weights; then the gradient, divided by the number of outputs counted in the chunk, moves them. The
state and the algorithm's memory are carried from chunk to chunk, and from batch to batch where the
task streams.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Algorithm, Batch, Cell, Claim, Task
from lightning_modules.training.checkpoints import on_device, records_of
from lightning_modules.training.clipping import Clip
from lightning_modules.training.decay import Decay
from lightning_modules.training.flat import Flat
from lightning_modules.training.learner import Learner
from lightning_modules.training.readout import ReadoutCredit
from lightning_modules.training.showing import Kept, Move, Read, that_train


@final
class SequenceLearner(Learner):
    """A cell under a linear readout, trained by a learning algorithm."""

    shows = frozenset({"passages", "losses", "updates"})

    def __init__(
        self,
        cell: Cell,
        output_size: int,
        loss: str,
        algorithm: Algorithm,
        update_every: int | None,
        optimizer: str,
        learning_rate: float,
        clip: Clip | None = None,
        decay: Decay | None = None,
    ):
        """Update after every ``update_every`` steps; None is once, at the sequence's end."""
        super().__init__(loss, optimizer, learning_rate, clip, decay)
        if update_every is not None:
            whole(1, "or None", update_every=update_every)
        self.automatic_optimization = False
        self.cell, self.algorithm, self.update_every = cell, algorithm, update_every
        dtype = next(cell.parameters()).dtype
        self.readout = nn.Linear(cell.hidden_size, output_size, dtype=dtype)

    def begin(self, task: Task) -> None:
        """Open empty books and forget the stream."""
        super().begin(task)
        self._stream: _Stream | None = None
        self._apart = False

    def described(self) -> dict[str, Any]:
        """Add the cell and its readout, and how they learn."""
        own = {"cell": self.cell, "readout": self.readout, "algorithm": self.algorithm}
        return {**super().described(), **own, "update_every": self.update_every}

    def records(self) -> list[type]:
        """Return the record classes of the algorithm's memory."""
        return records_of(self.cell, self.algorithm)

    def weights(self) -> list[nn.Parameter]:
        """Return all weights, the cell's first: as one flat parameter as long as all train."""
        self._flat = Flat([self.cell, self.readout], self._apart)
        # An algorithm without a gradient (a reservoir) keeps the cell's weights from decay, too.
        keeps = self.algorithm.claim is Claim.ZERO
        learn = [self.readout] if keeps else [self.cell, self.readout]
        self._learned = list(dict.fromkeys(w for part in learn for w in part.parameters()))
        return self._flat.moved

    def on_train_start(self) -> None:
        """Attach the gradients again: Lightning sets them to None before it starts."""
        self._flat.attach()

    @torch.no_grad()
    def training_step(self, batch: Batch, index: int) -> None:
        """Go through one batch, updating after each chunk that has counted outputs."""
        fresh = self._stream is None or not self.streams
        if fresh:
            self._stream = _Stream(_start(self.cell, batch))
        chunks = self._chunks(batch, fresh)
        last = max((i for i, (_, counts) in enumerate(chunks) if any(counts)), default=None)
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        loss, due = self._flat.gradient_P.new_zeros(()), self.due() if self.probes else []
        for i, chunk in enumerate(chunks):
            credit = self._advance(*chunk, due)
            loss += credit.loss
            if credit.counted:
                # Lightning counts its own wrapper's steps: one a batch.
                self._flat.ready(optimizer.optimizer)
                self._move((optimizer if i == last else optimizer.optimizer).step, due)
        self.books.note(batch.x_TBI.shape[1], loss, sum(sum(counts) for _, counts in chunks))

    def _chunks(self, batch: Batch, fresh: bool) -> list[tuple[Batch, list[int]]]:
        """Return stretches of ``update_every`` steps and their counts; the last may be shorter."""
        counted_T: list[int] = batch.mask_TB.sum(dim=1).tolist()
        k = self.update_every or len(counted_T)
        if not batch.resets_TB[int(fresh) :].any():  # a fresh start needs no reset
            batch = batch._replace(resets_TB=None)  # pyright: ignore[reportArgumentType]
        chunks = []
        for t in range(0, len(counted_T), k):
            parts = (part if part is None else part[t : t + k] for part in batch)
            chunks.append((Batch(*parts), counted_T[t : t + k]))
        return chunks

    def _advance(self, chunk: Batch, counted_T: list[int], due: list[Instrument]) -> ReadoutCredit:
        """Take the stream through a chunk and leave the mean gradient in ``.grad``."""
        credit = ReadoutCredit(self.readout, self.loss, chunk.y_TB, chunk.mask_TB, counted_T)
        stream = self._stream
        assert stream is not None
        s_BS, kept = stream.state_BS, Kept(credit) if due else None
        run = self.algorithm.run(
            self.cell, chunk.x_TBI, s_BS, kept or credit, stream.memory, chunk.resets_TB
        )
        stream.state_BS, stream.memory, gradient_P = run.state_BS, run.memory, None
        if credit.counted:
            parts = [run.gradient_P, credit.gradient_P]
            gradient_P = self._flat.take(parts, credit.counted)
        if kept and gradient_P is not None:
            seen = due[0].passage(
                self.cell,
                chunk.x_TBI,
                s_BS,
                chunk.resets_TB,
                run,
                Read(self.readout, self.loss, chunk),
                credit.counted,
                [t for t, counted in enumerate(counted_T) if counted],
                gradient_P,
                kept.direct_TBS,
            )
            for probe in due:
                probe.passed(seen)
        return credit

    def _move(self, step: Callable[[], Any], due: list[Instrument]) -> None:
        """Clip the gradient, decay and update the weights, and show that."""
        move = self._shown(due) if due else None
        self.clip_and_decay(self._learned)
        step()
        if move is not None:
            move.done()

    def _shown(self, due: list[Instrument]) -> Move:
        """Return the update that is about to be made."""
        names, weights = that_train(self.names, self._flat.parameters)
        every = len(weights) == len(self._flat.parameters)
        gradients = [self._flat.gradient_P] if every else [w.grad for w in weights]
        return Move(due, names, weights, [g for g in gradients if g is not None], self.clip)

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Follow held-out batches on a stream of their own."""
        s_BS: Tensor | None = None
        for batch in batches:
            if s_BS is None or not self.streams:
                s_BS = _start(self.cell, batch)
            states_TBS = self.cell.follow(batch.x_TBI, s_BS, batch.resets_TB).states_TBS
            s_BS = states_TBS[-1]
            yield batch, self.readout(states_TBS[..., : self.cell.hidden_size])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add where the stream stands, and how the optimizer moves the weights."""
        super().on_save_checkpoint(checkpoint)
        stream = self._stream
        checkpoint["stream"] = stream and (stream.state_BS, stream.memory)
        checkpoint["apart"] = self._flat.apart

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from there, on this device."""
        super().on_load_checkpoint(checkpoint)
        stream = on_device(checkpoint["stream"], self.device, self.records())
        self._stream, self._apart = stream and _Stream(*stream), checkpoint["apart"]


@dataclasses.dataclass
class _Stream:
    """Where the training data's stream stands."""

    state_BS: Tensor
    memory: Any = None


def _start(cell: Cell, batch: Batch) -> Tensor:
    """Return the zero state that a stream begins with, (B, S)."""
    return batch.x_TBI.new_zeros(batch.x_TBI.shape[1], cell.state_size)
