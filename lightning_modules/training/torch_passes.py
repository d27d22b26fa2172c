"""Layers of a user's model that are watched, and the backward passes that come through them.

Arguments of a call are noted at the call; a layer's weights are taken when error first comes back
to it, before any optimizer can move them; and the probes look once the whole backward pass is over,
when it is known how many calls took part. A failure here does not stop training: it becomes a
one-line warning.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn

from lightning_modules.instruments import InstrumentWarning, Row
from lightning_modules.interfaces import Cell
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Passage
from lightning_modules.training.torch_calls import Call, outputs
from lightning_modules.training.torch_layers import Weights, full, refusal

OTHER = (
    "what it returned is not what its weights make of its input: a hook, a forward of its own or a "
    "write through .data changed it, so it is not seen"
)
LOST = "a view that it returned was written to, behind which its error is not seen"


def say(line: str) -> None:
    """Warn of what an instrument cannot see."""
    warnings.warn(" ".join(line.split()), InstrumentWarning, stacklevel=2)


@final
class Layer:
    """A layer that is watched, and its probes: one set for each call in a backward pass.

    Attributes:
        steps: how many passes came through it. Its probes count by these, so where networks train
            in turns, each is looked at every so many passes of its own.
    """

    passes: "Passes"

    def __init__(self, name: str, net: nn.Module, make: Sequence[Callable[[], Probe]]):
        """Watch ``net`` by what is made."""
        self.name, self.net, self._make = name, net, make
        self._probes = [[one() for one in make]]
        self._aside: set[str] = set()
        self._said: set[str] = set()
        self.weights: Weights | None = None
        self.reached, self.steps = False, 0

    def called(self, net: nn.RNNBase, args: Any, kwargs: Any, output: Any) -> None:
        """Note a call, and wait for the gradients of what it returned: a forward hook."""
        with self.guarded():
            if not self._make:
                return
            x = args[0] if args else kwargs.get("input")
            start = args[1] if len(args) > 1 else kwargs.get("hx")
            self.passes.called()
            if isinstance(x, nn.utils.rnn.PackedSequence):
                self.remark("got a packed sequence, which is not followed: pad it, mask the loss")
                return
            returned = outputs(output)
            if not isinstance(x, Tensor) or returned is None:
                self.remark("is called otherwise than torch's, or returns something else: not seen")
                return
            if not x.numel():
                self.remark("got no samples: of such a call nothing is measured")
                return
            if not any(part.requires_grad for part in returned):
                return
            why = refusal(net)
            if why is not None:
                self.remark(why)
                return
            if self.weights is None or not self.weights.same_as(net):
                self.weights = Weights(net)
            call = Call(net, self.weights, x, start, returned)
            self.passes.expect(self, call, returned)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return, for copies and files of the model, a layer that sees nothing."""
        return Layer, (self.name, nn.Module(), ())

    def show(self, passage: Passage, number: int) -> None:
        """Show a call's passage to the probes that look; ``number`` counts calls of the pass."""
        while number >= len(self._probes):
            self._probes.append([one() for one in self._make])
        for probe in self._probes[number]:
            if probe.due(self.steps) and probe.name not in self._aside:
                probe.passed(passage)
                if probe.aside:  # those of the other calls would fail alike
                    self._aside.add(probe.name)

    def due(self) -> bool:
        """Tell whether any probe looks at the layer's next pass."""
        return any(p.due(self.steps) and p.name not in self._aside for p in self._probes[0])

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
            say(f"{self.name or type(self.net).__name__}: {what}")

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
            raise  # the user has turned warnings into errors
        except Exception as error:  # noqa: BLE001 - whatever it is, training is not the watch's
            self.remark(f"not followed: {type(error).__name__}: {error}")


class _Came(NamedTuple):
    """The gradients that came back to a call."""

    layer: Layer
    number: int
    """How many calls were made before."""
    back: dict[int, Tensor]
    cell: Cell | None


@final
class Passes:
    """What comes back in one backward pass, until it is over.

    Activation checkpointing runs forward and backward again inside a backward pass; that counts as
    part of it.

    Attributes:
        layers: what is watched.
        steps: how many passes came through any of these.
    """

    def __init__(self, layers: Sequence[Layer]):
        """Wait for the calls of the layers."""
        self.layers, self.steps, self._open = layers, 0, True
        for layer in layers:
            layer.passes = self
        self._root: int | None = None
        self._came: dict[Call, _Came] = {}
        self._cells: dict[Weights, Cell] = {}
        self._made = 0

    def called(self) -> None:
        """Note that a layer goes forward: outside of a backward pass, none is going on."""
        inside = torch._C._current_graph_task_id()
        if inside == -1 and self._root is not None:
            self._drop()  # what is left of a pass that failed
        elif inside != -1 and self._root is None:
            self._begin(inside)

    def expect(self, layer: Layer, call: Call, returned: tuple[Tensor, ...]) -> None:
        """Register hooks that note the error which comes back to the returned tensors."""
        self._made += 1
        inside = torch._C._current_graph_task_id() != -1
        for place, part in enumerate(returned):
            if part.requires_grad:
                come = _Came(layer, self._made, {}, None)
                part.register_hook(partial(self._back, call, come, inside, place))

    def close(self) -> None:
        """Stop looking, whatever still comes back."""
        self._open = False
        self._drop()

    def _begin(self, task: int) -> None:
        self._root = task
        torch.autograd.Variable._execution_engine.queue_callback(self._over)  # pyright: ignore[reportAttributeAccessIssue]

    def _drop(self) -> None:
        self._root, self._came, self._cells = None, {}, {}
        for layer in self.layers:
            layer.weights = None  # they may have been lent for a call

    def _back(self, call: Call, made: _Came, inside: bool, place: int, gradient: Any) -> None:
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
                # A copy: the gradient is the user's, who may write to it.
                self._came[call].back[place] = full(gradient.detach()).clone()

    def _cell(self, layer: Layer, call: Call) -> Cell | None:
        """Return the cell to follow the call by; None where nobody looks, or it cannot be."""
        if not layer.due():
            return None
        if call.changed:
            layer.remark(f"its {call.changed} changed between a call and the way back: not seen")
            return None
        if call.weights not in self._cells:
            self._cells[call.weights] = call.weights.cell()
        return self._cells[call.weights]

    def _over(self) -> None:
        """Show the pass."""
        seen = self._came
        self._drop()
        if not self._open:
            return
        self.steps += bool(seen)
        numbers: dict[Layer, int] = {}
        for call, one in sorted(seen.items(), key=lambda item: item[1].number):
            number = numbers[one.layer] = numbers.get(one.layer, -1) + 1
            if one.cell is None:
                continue
            if call.lost(one.back):
                one.layer.remark(LOST)
                continue
            with one.layer.guarded(), torch.no_grad(), _plainly(call.x):
                passage = call.passage(one.cell, one.back)
                if passage is None:
                    one.layer.remark(OTHER)
                else:
                    one.layer.show(passage, number)
        for layer in numbers:
            layer.steps += 1


def _plainly(like: Tensor) -> contextlib.AbstractContextManager[Any]:
    """Return a context without autocast, which would change the types that a cell runs in."""
    kind = like.device.type
    on = torch.is_autocast_enabled(kind)
    return torch.autocast(kind, enabled=False) if on else contextlib.nullcontext()
