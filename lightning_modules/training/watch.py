"""Probing a model of one's own: torch.nn.RNN, GRU and LSTM under automatic differentiation.

A layer's error is known from outside as the gradient of what it returned. That is each h's own,
direct one; the total one takes the way back through time inside the layer, which torch keeps to
itself. So the layer is followed as a cell of ours with the same weights, and swept.

What a call was made with is noted at the call; a layer's weights are taken when error first comes
back to it, before any optimizer can move them; and the probes look once the whole backward pass is
over, when it is known how many calls took part. Nothing that goes wrong here is the training's:
it is said in one line, an ``InstrumentWarning``.
"""

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn

from lightning_modules.instruments import InstrumentWarning, Row
from lightning_modules.interfaces import Cell
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage
from lightning_modules.registry import UnknownNameError, nearest
from lightning_modules.training.torch_calls import Call, outputs
from lightning_modules.training.torch_layers import Weights, full, refusal

LOST = "a view that it returned was written to, behind which its error is not seen"


@final
class Record:
    """What the probes saw of a model.

    Attributes:
        rows: what was measured, up to the last ``take`` or the end of the block.
        steps: how many backward passes have been seen.
    """

    def __init__(self, layers: list["_Layer"]):
        """Take what is watched."""
        self.rows: list[Row] = []
        self.steps = 0
        self.layers = layers

    def take(self) -> list[Row]:
        """Add rows of all that was seen since the last ones, and return them.

        They are those of a training run, with ``module``, the name of the torch layer, and where
        a backward pass came through several calls of it ``call``, which counts them in the order
        in which they were made.
        """
        new = [row for layer in self.layers for row in layer.rows(self.steps)]
        self.rows += new
        return new


@contextmanager
def watch(model: nn.Module, probes: Iterable[str], **options: dict[str, Any]) -> Iterator[Record]:
    """Probe every torch.nn.RNN, GRU and LSTM of a model, whatever trains it, while a block runs.

    L is what ``backward`` is called on. Each backward pass counts as a step, however often it
    comes through a layer, and ``every`` counts these. ``options`` go to the probe of their name:
    ``spectrum={"every": 10}``. A layer that cannot be followed is named in one line at the start;
    what is seen only while it runs, such as a packed sequence, when it is met.

    Raises:
        UnknownNameError: a name, or what options are given to, is none of the probes.
        ValueError: the model has no such layer, or none that can be followed, or the probe sees
            more of training than a layer.
        TypeError: a probe takes no such option.
    """
    names = list(probes)
    make = [_maker(name, options.get(name, {})) for name in names]
    for name in options:
        if name not in PROBES:
            raise UnknownNameError(f"options for {name!r}, no probe: {nearest(name, PROBES)}")
    layers = _layers(model, make)
    record = Record(layers)
    passes = _Passes(record)
    for layer in layers:
        layer.passes = passes
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
        record.layers = []  # a record that outlives the model does not keep it
    for layer in layers:
        layer.remark_unseen()


def _maker(name: str, options: dict[str, Any]) -> Callable[[], Probe]:
    """Return what makes the probe, which has been made once to see whether it can be."""
    kind = PROBES[name]
    allowed = list(inspect.signature(kind).parameters)
    for option in options:
        if option not in allowed:
            raise TypeError(f"{name} takes no option {option!r}: {nearest(option, allowed)}")
    probe = kind(**options)
    if "passages" not in probe.sees:
        raise ValueError(f"{probe.name} sees {' and '.join(sorted(probe.sees))}: use a learner")
    return partial(kind, **options)


def _layers(model: nn.Module, make: list[Callable[[], Probe]]) -> list["_Layer"]:
    """Return what can be watched, and say what cannot."""
    nets = {k: m for k, m in model.named_modules() if isinstance(m, nn.RNNBase)}
    if not nets:
        raise ValueError(f"{type(model).__name__} has no torch.nn.RNN, GRU or LSTM to watch")
    reasons = {name: refusal(net) for name, net in nets.items()}
    refused = [f"{name}: {why}" if name else why for name, why in reasons.items() if why]
    if len(refused) == len(nets):
        raise ValueError("; ".join(refused))
    if refused and make:
        _say(f"not watched: {'; '.join(refused)}")
    return [_Layer(name, net, make) for name, net in nets.items() if reasons[name] is None]


def _say(line: str) -> None:
    warnings.warn(" ".join(line.split()), InstrumentWarning, stacklevel=2)


@final
class _Layer:
    """A layer that is watched, and its probes: as many of each as calls took part in a pass."""

    passes: "_Passes"

    def __init__(self, name: str, net: nn.RNNBase, make: list[Callable[[], Probe]]):
        self.name, self.net, self._make = name, net, make
        self._probes = [[one() for one in make]]
        self._aside: set[str] = set()
        self._said: set[str] = set()
        self.weights: Weights | None = None
        self.reached = False

    def called(self, net: nn.RNNBase, args: Any, kwargs: Any, output: Any) -> None:
        """Note a call, and wait for the gradients of what it returned: a forward hook."""
        with self.guarded():
            x = args[0] if args else kwargs["input"]
            start = args[1] if len(args) > 1 else kwargs.get("hx")
            self.passes.called()
            if not isinstance(x, Tensor):
                self.remark("got a packed sequence, which is not followed: pad it, mask the loss")
                return
            returned = outputs(output)
            if not any(part.requires_grad for part in returned):
                return
            why = refusal(net)
            if why is not None:
                self.remark(why)
                return
            if self.weights is None or not self.weights.same_as(net):
                self.weights = Weights(net)
            call = Call(net, self.weights, x, start, output)
            self.passes.expect(self, call, returned)

    def show(self, passage: Passage, number: int, step: int) -> None:
        """Show a call's passage to the probes that look; ``number`` counts calls of the pass."""
        while number >= len(self._probes):
            self._probes.append([one() for one in self._make])
        for probe in self._probes[number]:
            if probe.due(step) and probe.name not in self._aside:
                probe.passed(passage)
                if probe.aside:  # those of the other calls would fail alike
                    self._aside.add(probe.name)

    def due(self, step: int) -> bool:
        """Tell whether any probe looks at this step."""
        return any(p.due(step) and p.name not in self._aside for p in self._probes[0])

    def rows(self, step: int) -> Iterator[Row]:
        """Iterate over the rows of what was seen since the last ones."""
        for number, probes in enumerate(self._probes):
            at = {"call": number} if len(self._probes) > 1 else {}
            for probe in probes:
                yield from ({**row, "module": self.name, **at} for row in probe.rows(step))

    def remark(self, what: str) -> None:
        """Say what cannot be seen, once."""
        if what not in self._said:
            self._said.add(what)
            _say(f"{self.name or type(self.net).__name__}: {what}")

    def remark_unseen(self) -> None:
        """Say so where nothing was seen and nothing was said of it."""
        if self._make and not self.reached and not self._said:
            self.remark("no error came back to it: is it frozen, unused, or written to in place?")

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn a failure into a remark."""
        try:
            yield
        except InstrumentWarning:
            raise  # whoever has warnings raised wants them so
        except Exception as error:  # noqa: BLE001 - whatever it is, training is not the watch's
            self.remark(f"not followed: {type(error).__name__}: {error}")


class _Came(NamedTuple):
    """What came back to a call."""

    layer: "_Layer"
    number: int
    """How many calls were made before."""
    back: dict[int, Tensor]
    cell: Cell | None


@final
class _Passes:
    """What comes back in one backward pass, until it is over.

    A checkpoint may go forward and back again inside a backward pass: that is part of it.
    """

    def __init__(self, record: Record):
        self._record, self._open = record, True
        self._root: int | None = None
        self._came: dict[Call, _Came] = {}
        self._cells: dict[Weights, Cell] = {}
        self._made = 0

    def called(self) -> None:
        """Note that a layer goes forward: outside of a backward pass, none is going on."""
        inside = torch._C._current_graph_task_id()
        if inside == -1:
            self._drop()  # what is left of a pass that failed
        elif self._root is None:
            self._begin(inside)

    def expect(self, layer: "_Layer", call: Call, returned: tuple[Tensor, ...]) -> None:
        """Have error that comes back to what was returned be noted."""
        self._made += 1
        inside = torch._C._current_graph_task_id() != -1
        for place, part in enumerate(returned):
            if part.requires_grad:
                come = _Came(layer, self._made, {}, None)
                part.register_hook(partial(self._back, call, come, inside, place))

    def close(self) -> None:
        """Look no more, whatever still comes back."""
        self._open = False
        self._drop()

    def _begin(self, task: int) -> None:
        self._root = task
        torch.autograd.Variable._execution_engine.queue_callback(self._over)  # pyright: ignore[reportAttributeAccessIssue]

    def _drop(self) -> None:
        self._root, self._came, self._cells = None, {}, {}
        for layer in self._record.layers:
            layer.weights = None  # they may have been lent for a call

    def _back(self, call: Call, made: "_Came", inside: bool, place: int, gradient: Any) -> None:
        """Note a gradient, and the weights before they can move: a hook of what was returned."""
        layer = made.layer
        if not self._open or gradient is None:
            return
        with layer.guarded(), torch.no_grad(), _plainly(gradient):
            task = torch._C._current_graph_task_id()
            if self._root is None or not (inside or task == self._root):
                self._drop()
                self._begin(task)
            layer.reached = True
            if call not in self._came:
                self._came[call] = made._replace(back={}, cell=self._cell(layer, call))
            if self._came[call].cell is not None:
                # A copy: it belongs to others, who may write to it.
                self._came[call].back[place] = full(gradient.detach()).clone()

    def _cell(self, layer: "_Layer", call: Call) -> Cell | None:
        """Return the cell to follow the call by; None where nobody looks, or it cannot be."""
        if not layer.due(self._record.steps):
            return None
        if call.changed:
            layer.remark(f"its {call.changed} changed between a call and the way back: not seen")
            return None
        if call.weights not in self._cells:
            self._cells[call.weights] = call.weights.cell()
        return self._cells[call.weights]

    def _over(self) -> None:
        """Show the pass."""
        seen, step = self._came, self._record.steps
        self._drop()
        if not self._open:
            return
        self._record.steps += bool(seen)
        numbers: dict[_Layer, int] = {}
        for call, one in sorted(seen.items(), key=lambda item: item[1].number):
            number = numbers[one.layer] = numbers.get(one.layer, -1) + 1
            if one.cell is None:
                continue
            if call.lost(one.back):
                one.layer.remark(LOST)
                continue
            with one.layer.guarded(), torch.no_grad(), _plainly(call.x):
                one.layer.show(call.passage(one.cell, one.back), number, step)


def _plainly(like: Tensor) -> contextlib.AbstractContextManager[Any]:
    """Return a context without autocast, whose types are not those that a cell is followed in."""
    kind = like.device.type
    on = torch.is_autocast_enabled(kind)
    return torch.autocast(kind, enabled=False) if on else contextlib.nullcontext()
