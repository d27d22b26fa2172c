"""What the layers of a feed-forward network put out, and how far they are saturated.

    mean         of a layer's outputs, over all units, examples and steps
    spread       their standard deviation
    saturated    the share of them that let (next to) no error back through their function:
                 for tanh, logistic and softsign those within a fortieth of the range from an end
                 of it (for tanh and softsign |h| > .95), for ReLU exact zeros

``layer`` counts the modules without children in the order of their calls, ``module`` is their name;
where one is called several times, ``t`` counts the calls. A module without limits, such as an
affine map, has no ``saturated``. The outputs are those of a batch before its update; hooks are in
place only during a batch that is due.

References:
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
        networks, AISTATS.
"""

from collections.abc import Iterator
from typing import Any, final

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn

from lightning_modules.instruments import Row
from lightning_modules.norms import scaled
from lightning_modules.probes._base import Probe, guarded
from lightning_modules.probes._outputs import hook_layers, say_unseen, unseen

NEAR = 0.95
"""From this share of the way between the middle of the range and an end, an output is saturated."""


@final
class Activations(Probe):
    """Mean, spread and saturation of every layer, of a learner that calls its network's modules."""

    sees = frozenset({"modules"})

    def __init__(self, every: int = 1):
        """Look at every ``every``-th batch."""
        super().__init__(every)
        self._modules: list[str] = []
        self._calls: dict[str, list[Tensor]] = {}
        self._unseen: dict[str, str] = {}
        self._handles: list[Any] = []

    @guarded
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Hook the layers where the batch is due."""
        learner: Any = pl_module
        if self.due(learner.books.batches):
            self._handles = hook_layers(learner.network, self._called)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Leave the layers as they were, and keep what was seen."""
        hooked, self._handles = self._handles, []
        for handle in hooked:
            handle.remove()
        if hooked:
            self._seen(pl_module)

    @guarded
    def _seen(self, learner: Any) -> None:
        calls, self._calls, unseen, self._unseen = self._calls, {}, self._unseen, {}
        say_unseen(self, unseen, calls, learner.network)
        self._modules += [name for name in calls if name not in self._modules]
        self.keep(**{name: torch.stack(told) for name, told in calls.items()})

    @guarded
    @torch.no_grad()
    def _called(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Note one call's mean, spread and saturation; NaN for one without limits."""
        del inputs
        if torch._C._current_graph_task_id() != -1:
            return  # activation checkpointing calls the layer again in the backward pass
        why = unseen(output)
        if why is not None:
            self._unseen[name] = why
            return
        h = output.detach()
        h = h.to(torch.promote_types(h.dtype, torch.float32))
        saturated = _saturated(module, h)
        share = h.new_tensor(torch.nan) if saturated is None else saturated.to(h.dtype).mean()
        unit, scale = scaled(h)  # whose squares stay within the type
        told = torch.stack([unit.mean(), unit.std(correction=0)]) * scale.view(1)
        told = torch.cat([told, share.view(1)])
        self._calls.setdefault(name, []).append(told)

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return three rows for each call of a layer, or two."""
        for layer, name in enumerate(self._modules):
            for t, told in enumerate(means[name].tolist() if name in means else ()):
                of: Row = {"t": t, "layer": layer, "module": name}
                for quantity, value in zip(("mean", "spread", "saturated"), told, strict=True):
                    if value == value:  # NaN where there are no limits
                        yield {"quantity": quantity, **of, "value": value}

    def state_dict(self) -> dict[str, Any]:
        """Add the names of the modules."""
        return {**super().state_dict(), "modules": self._modules}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them back."""
        super().load_state_dict(state_dict)
        self._modules = state_dict["modules"]


def _saturated(module: nn.Module, h: Tensor) -> Tensor | None:
    """Tell of each output whether it is saturated; None for a module without limits."""
    if isinstance(module, nn.Tanh | nn.Softsign):
        return h.abs() > NEAR
    if isinstance(module, nn.Sigmoid):
        return (2 * h - 1).abs() > NEAR
    if isinstance(module, nn.ReLU):
        return h == 0
    return None
