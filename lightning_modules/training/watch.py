"""Probing a model of one's own: torch.nn.RNN, GRU and LSTM under automatic differentiation.

A layer's error is known from outside as the gradient of what it returned. That is each h's own,
direct one; the total one takes the way back through time inside the layer, which torch keeps to
itself. So the layer is followed as a cell of ours with the same weights, and swept.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.autograd.graph import register_multi_grad_hook

from lightning_modules.interfaces import Credit, Run
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage, Row
from lightning_modules.training.torch_layers import as_cell, joint, start_of


@final
class Record:
    """What the probes saw of a model.

    Attributes:
        rows: what was measured, up to the last ``take`` or the end of the block.
        steps: how many backward passes have been seen.
    """

    def __init__(self, probes: dict[str, list[Probe]]):
        """Take the probes of each layer, by its name."""
        self.rows: list[Row] = []
        self.steps = 0
        self._probes = probes

    def take(self) -> list[Row]:
        """Add rows of all that was seen since the last ones, and return them.

        They are those of a training run, with ``module``, the name of the torch layer.
        """
        new: list[Row] = [
            {**row, "module": name}
            for name, probes in self._probes.items()
            for probe in probes
            for row in probe.rows(self.steps)
        ]
        self.rows += new
        return new


@contextmanager
def watch(model: nn.Module, probes: Iterable[str], **options: dict[str, Any]) -> Iterator[Record]:
    """Probe every torch.nn.RNN, GRU and LSTM of a model, whatever trains it, while a block runs.

    L is what ``backward`` is called on. Each backward pass counts as a step, and ``every`` counts
    these. ``options`` go to the probe of their name: ``spectrum={"every": 10}``.

    Raises:
        UnknownNameError: a name is none of the probes'.
        ValueError: the model has no such layer, or the probe sees more of training than a layer;
            on the way back, a layer that has no counterpart among the cells.
        TypeError: a layer is given a packed sequence.
    """
    nets = {k: m for k, m in model.named_modules() if isinstance(m, nn.RNNBase)}
    if not nets:
        raise ValueError(f"{type(model).__name__} has no torch.nn.RNN, GRU or LSTM to watch")
    names = list(probes)
    of = {k: [PROBES[name](**options.get(name, {})) for name in names] for k in nets}
    for probe in next(iter(of.values())):
        if "passages" not in probe.sees:
            raise ValueError(f"{probe.name} sees {' and '.join(sorted(probe.sees))}: use a learner")
    record = Record(of)
    handles = [
        net.register_forward_hook(_Layer(record, of[k]), with_kwargs=True)
        for k, net in nets.items()
    ]
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()
        record.take()


class _Layer:
    """The forward hook of one layer, which counts its own backward passes."""

    def __init__(self, record: Record, probes: list[Probe]):
        self._record, self._probes, self._seen = record, probes, 0

    def __call__(self, net: nn.RNNBase, args: Any, kwargs: Any, output: Any) -> None:
        """Wait for the gradients of what a call returned."""
        x = args[0] if args else kwargs["input"]
        start = args[1] if len(args) > 1 else kwargs.get("hx")
        if not isinstance(x, Tensor):
            raise TypeError(f"{type(net).__name__} got a packed sequence: pad it, mask the loss")
        returned, last = output
        last = last if isinstance(last, tuple) else (last,)
        if not returned.requires_grad:
            return
        batched = x.dim() == 3
        x_TBI = x.detach() if batched else x.detach().unsqueeze(1)
        x_TBI = x_TBI.transpose(0, 1) if net.batch_first and batched else x_TBI

        def back(gradients: Any) -> None:
            self._back(net, x_TBI, start, last, gradients)

        register_multi_grad_hook((returned, *last), back)

    @torch.no_grad()
    def _back(self, net: nn.RNNBase, x_TBI: Tensor, start: Any, last: Any, gradients: Any) -> None:
        """Show the passage, with the weights that it was made with."""
        due = [probe for probe in self._probes if probe.due(self._seen)]
        self._seen += 1
        self._record.steps = max(self._record.steps, self._seen)
        if not due:
            return
        cell, (T, B, _), (of_h, *of_last) = as_cell(net), x_TBI.shape, gradients
        s_BS = start_of(net, start, B, x_TBI)
        path = cell.follow(x_TBI, s_BS)
        c_TBS = x_TBI.new_zeros(T, B, cell.state_size)
        if of_h is not None:
            h_TBH = of_h if of_h.dim() == 3 else of_h.unsqueeze(1)
            batch_first = net.batch_first and of_h.dim() == 3
            c_TBS[..., : net.hidden_size] += h_TBH.transpose(0, 1) if batch_first else h_TBH
        ends = zip(last, of_last, strict=True)
        c_TBS[-1] += joint(tuple(torch.zeros_like(s) if g is None else g for s, g in ends), B)
        u_TBZ, total_TBS = path.sweep(c_TBS)
        run = Run(path.gradient(u_TBZ), path.states_TBS[-1], None, path, total_TBS)
        seen = Passage(cell, x_TBI, s_BS, None, run, _Given(c_TBS), 1, given_TBS=c_TBS)
        for probe in due:
            probe.passed(seen)


class _Given:
    """Losses of which the derivative by each state is all that is known."""

    def __init__(self, c_TBS: Tensor):
        self._c_TBS = c_TBS

    def direct(self, samples: slice, states_TBS: Tensor) -> Tensor:
        """Return it."""
        del states_TBS
        return self._c_TBS[:, samples]

    def credit(self, samples: slice) -> Credit:
        """Return it, step by step."""
        return lambda t, s_BS: self._c_TBS[t, samples]

    def counted(self, samples: slice) -> int:
        """One: L is whatever was differentiated."""
        del samples
        return 1

    def loss(self, samples: slice, h_TBH: Tensor, shift_P: Tensor) -> Tensor:
        """Refuse: no value is known."""
        raise ValueError("the loss of a watched model is not known: use a learner")
