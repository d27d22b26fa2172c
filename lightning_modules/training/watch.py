"""Probing a model of one's own: torch.nn.RNN, GRU and LSTM under automatic differentiation.

From outside, a layer's error is visible as the gradient of its outputs. That is the direct gradient
of each h; the total one includes the way back through time inside the layer, which torch does not
show. So the layer is run again as a cell of this project with the same weights, and back-propagated
through.

Watching does not change training. A failure, or something that cannot be seen, is reported in one
line, an ``InstrumentWarning``, and training goes on.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, final

from torch import nn

from lightning_modules.instruments import Row
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import Probe
from lightning_modules.registry import UnknownNameError, nearest
from lightning_modules.training.torch_layers import refusal
from lightning_modules.training.torch_passes import Layer, Passes, say


@final
class Record:
    """What the probes saw of a model.

    Attributes:
        rows: what was measured, up to the last ``take`` or the end of the block.
    """

    def __init__(self, passes: Passes):
        """Record what is seen of backward passes."""
        self.rows: list[Row] = []
        self._passes = passes

    @property
    def steps(self) -> int:
        """How many backward passes have been seen."""
        return self._passes.steps

    def take(self) -> list[Row]:
        """Add rows of all that was seen since the last ones, and return them.

        They are those of a training run, with ``module``, the name of the torch layer, and where
        a backward pass came through several calls of it ``call``, which counts them in the order
        in which they were made.
        """
        new = [row for layer in self._passes.layers for row in layer.rows(self.steps)]
        self.rows += new
        return new


@contextmanager
def watch(model: nn.Module, probes: Iterable[str], **options: dict[str, Any]) -> Iterator[Record]:
    """Probe every torch.nn.RNN, GRU and LSTM of a model, whatever trains it, while a block runs.

    L is the tensor that ``backward`` is called on. Each backward pass counts as a step, however
    often it comes through a layer; a probe's ``every`` counts, for each layer, the passes through
    it. ``options`` go to the probe of their name: ``spectrum={"every": 10}``. A layer that cannot
    be followed is named in one line at the start, or, for causes that show only while it runs, such
    as a packed sequence, when they occur. Autograd does not notice a write through ``.data`` into
    weights or input between a call and the backward pass; here it is noticed if it changes the
    first h by a hundredth.

    Raises:
        UnknownNameError: a name, or one that options are given to, is no probe.
        ValueError: the model has no such layer, or none that can be followed, or a probe has to see
            more of training than a layer.
        TypeError: a probe takes no such option.
    """
    names = list(probes)
    make = [_maker(name, options.get(name, {})) for name in names]
    for name in options:
        if name not in PROBES:
            raise UnknownNameError(f"options for {name!r}, no probe: {nearest(name, PROBES)}")
    layers = _layers(model, make)
    passes = Passes(layers)
    record = Record(passes)
    handles = [
        layer.net.register_forward_hook(layer.called, with_kwargs=True) for layer in layers if make
    ]
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()
        passes.close()
        record.take()
        passes.layers = ()  # a record that outlives the model does not keep it
    for layer in layers:
        layer.remark_unseen()


def _maker(name: str, options: dict[str, Any]) -> Callable[[], Probe]:
    """Return a function that makes the probe, after making it once to check its options."""
    kind = PROBES[name]
    allowed = list(inspect.signature(kind).parameters)
    for option in options:
        if option not in allowed:
            raise TypeError(f"{name} takes no option {option!r}: {nearest(option, allowed)}")
    probe = kind(**options)
    if "passages" not in probe.sees:
        raise ValueError(f"{probe.name} sees {' and '.join(sorted(probe.sees))}: use a learner")
    return partial(kind, **options)


def _layers(model: nn.Module, make: list[Callable[[], Probe]]) -> list[Layer]:
    """Return what can be watched, and say what cannot."""
    nets = {k: m for k, m in model.named_modules() if isinstance(m, nn.RNNBase)}
    if not nets:
        raise ValueError(f"{type(model).__name__} has no torch.nn.RNN, GRU or LSTM to watch")
    reasons = {name: refusal(net) for name, net in nets.items()}
    refused = [f"{name}: {why}" if name else why for name, why in reasons.items() if why]
    if len(refused) == len(nets):
        raise ValueError("; ".join(refused))
    if refused and make:
        say(f"not watched: {'; '.join(refused)}")
    return [Layer(name, net, make) for name, net in nets.items() if reasons[name] is None]
