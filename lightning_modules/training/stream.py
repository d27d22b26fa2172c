"""Learning a language model along streams: truncated BPTT by automatic differentiation.

    for each batch of T steps:    s <- s detached; zero for a sample that starts over
                                  L = mean of -ln p over the counted targets
                                  clip dL/dw, update

So error goes back to the start of its batch and no further, while the state is carried on along the
whole stream. Probes see the updates and, as passages, the topmost recurrent layer; ``watch`` can
show the others.

References:
    Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent
        network trajectories, Neural Computation 2(4).
    Mikolov, Kombrink, Burget, Černocký & Khudanpur (2011), Extensions of recurrent neural network
        language model, ICASSP.
"""

from collections.abc import Iterable, Iterator
from typing import Any, final

import torch
from torch import Tensor

from lightning_modules.checks import above
from lightning_modules.instruments import Instrument
from lightning_modules.interfaces import Batch, Task
from lightning_modules.networks.language_model import LanguageModel, State
from lightning_modules.training.automatic import AutomaticLearner
from lightning_modules.training.batches import checked
from lightning_modules.training.checkpoints import on_device
from lightning_modules.training.clipping import Clip
from lightning_modules.training.learner import Score
from lightning_modules.training.losses import counted_only
from lightning_modules.training.modes import evaluating
from lightning_modules.training.torch_passes import Layer, Passes


@final
class StreamLearner(AutomaticLearner):
    """A language model, updated once a batch; its state goes on from batch to batch."""

    shows = frozenset({"passages", "updates"})

    def __init__(
        self,
        network: LanguageModel,
        optimizer: str,
        learning_rate: float,
        clip: Clip | None = None,
        final_rate: float | None = None,
    ):
        """Train all parameters of ``network``.

        With ``final_rate`` the rate falls to it over the run, as half a cosine does; ValueError
        where that is more than the rate.
        """
        super().__init__("cross_entropy", optimizer, learning_rate, clip)
        if final_rate is not None:
            above(0, or_equal=True, most=learning_rate, final_rate=final_rate)
        self.network, self.final_rate = network, final_rate
        self._due: list[Instrument] = []

    def begin(self, task: Task) -> None:
        """Open empty books and forget the stream."""
        super().begin(task)
        self._state: State | None = None
        self._layer: Layer | None = None

    def described(self) -> dict[str, Any]:
        """Add the network, and how far the rate falls."""
        return {**super().described(), "network": self.network, "final_rate": self.final_rate}

    def configure_optimizers(self) -> Any:
        """Return the optimizer, and the schedule of its rate where that falls."""
        optimizer = super().configure_optimizers()
        return optimizer if self.final_rate is None else self.falling(optimizer, self.final_rate)

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int = 0
    ) -> Batch:
        """Return the batch on the device, token numbers as they are; ValueError as Learner's."""
        batch = checked(batch, self.loss, self._outputs)
        return Batch(*(part.to(device, non_blocking=True) for part in batch))

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the mean loss over the counted outputs, and carry the state on."""
        self._due = self.due() if self.probes else []
        fresh = self._state is None or not self.streams
        with _Watched(self._watched() if self._due else None) as self._passes:
            h_TBH, state = self.network.read(
                batch.x_TBI, None if fresh else self._state, batch.resets_TB
            )
        self._state = [tuple(part.detach() for part in of_layer) for of_layer in state]
        h_NH, y_N = counted_only(h_TBH, batch.y_TB, batch.mask_TB)
        if not len(h_NH):
            raise ValueError(f"batch {index} counts no output: there is nothing to learn from it")
        loss = self.network.nats(h_NH, y_N)
        if not loss.requires_grad:
            raise ValueError("no weight of the network trains: all that it uses are frozen")
        self.books.note(batch.x_TBI.shape[1], loss.detach(), len(h_NH))
        return loss / len(h_NH)

    def _watched(self) -> Layer:
        """Return the topmost layer for the probes that see passages, as of the present batch."""
        if self._layer is None:
            make = [lambda one=one: one for one in self.probes if "passages" in one.sees]
            number = len(self.network.layers) - 1
            top: Any = self.network.layers[number]
            self._layer = Layer(f"layers.{number}", top, make)  # pyright: ignore[reportArgumentType]
        self._layer.steps = self.books.batches
        return self._layer

    def outputs(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Follow held-out batches on a stream of their own, without dropout."""
        for batch, h_TBH in self._followed(batches):
            yield batch, self.network.log_probabilities(h_TBH)

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> Score:
        """Return the mean loss; no accuracy, which would need an adaptive softmax's every output.

        The sum over all tokens is divided by their number, however they are cut into batches.
        """
        loss, counted = 0.0, 0
        here = (self.transfer_batch_to_device(batch, self.device) for batch in batches)
        for batch, h_TBH in self._followed(here):
            h_NH, y_N = counted_only(h_TBH, batch.y_TB, batch.mask_TB)
            loss += float(self.network.nats(h_NH, y_N)) if len(h_NH) else 0.0
            counted += len(h_NH)
        return Score(loss / counted if counted else None, None)

    def _followed(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
        """Iterate over batches and the h that the softmax reads."""
        state: State | None = None
        for batch in batches:
            with evaluating(self.network):
                start = state if self.streams else None
                h_TBH, state = self.network.read(batch.x_TBI, start, batch.resets_TB)
            yield batch, h_TBH

    def gone_back(self) -> None:
        """Show the passage of the topmost layer."""
        self._passes.close()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the state that the stream goes on from."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["stream"] = self._state

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from there, on this device."""
        super().on_load_checkpoint(checkpoint)
        self._state = on_device(checkpoint["stream"], self.device, [])


class _Watched:
    """A context in which a layer goes forward; the probes look once error has come back to it."""

    def __init__(self, layer: Layer | None):
        self._layer = layer
        self._passes = None if layer is None else Passes([layer])

    def __enter__(self) -> "_Watched":
        if self._layer is not None:
            self._handle = self._layer.net.register_forward_hook(
                self._layer.called, with_kwargs=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._layer is not None:
            self._handle.remove()

    def close(self) -> None:
        """Look no more."""
        if self._passes is not None:
            self._passes.close()
