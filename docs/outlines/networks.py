"""The modules of a network in the order of their calls, and the sources of each one's inputs.

A network is run on an example, and every tensor is labelled with the boxes that its numbers come
from. Boxes are inputs, innermost modules, and weights that a larger module owns directly. The
result of an operation gets the labels of all its arguments, the output of a module only the
module's own. Where an operation takes floating-point numbers, integers and booleans beside them
are not followed: they are indices and masks, not values.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass
class Part:
    """A box: an input or output, a module, or weights that a larger module owns directly."""

    name: str
    kind: str
    shape: tuple[int, ...]
    """The shape of its first output."""
    parameters: int = 0
    calls: int = 0
    sources: set[str] = field(default_factory=set)
    """The names of the boxes that its inputs come from."""


class Flow(TorchDispatchMode):
    """Follows values through a network while it runs.

    Attributes:
        parts: the boxes by name, in the order in which they were first met.
    """

    def __init__(self, network: nn.Module):
        """Collect the network's modules and weights."""
        super().__init__()
        self.parts: dict[str, Part] = {}
        self._names: dict[int, frozenset[str]] = {}
        self._written: dict[int, frozenset[str]] = {}
        """By storage: labels of what was written into it in place, through any view."""
        self._kept: list[Tensor] = []  # keeps tensors alive, so that ids are not used again
        self._modules = {
            name or type(network).__name__: module
            for name, module in network.named_modules()
            if not any(True for _ in module.children())
        }
        self._shared: dict[str, Part] = {}
        self._count: dict[str, int] = dict.fromkeys(self._modules, 0)
        for name, w in network.named_parameters():  # each once, where it is first met
            owner = name.rpartition(".")[0] or type(network).__name__
            if owner in self._modules:
                self._count[owner] += w.numel()
                self._put(w, owner)
            else:
                self._shared[name] = Part(name, "weights", tuple(w.shape), w.numel(), 1)
                self._put(w, name)

    def run(self, of: Callable[["Flow"], None]) -> list[Part]:
        """Call ``of``, which runs the network, and return the boxes met."""
        hooks = []
        for name, module in self._modules.items():
            before, after = self._hooks(name, module)
            hooks.append(module.register_forward_pre_hook(before, with_kwargs=True))
            hooks.append(module.register_forward_hook(after))
        try:
            with torch.no_grad(), self:
                of(self)
        finally:
            for hook in hooks:
                hook.remove()
        return self._ordered()

    def enters(self, name: str, x: Tensor) -> Tensor:
        """Register ``x`` as an input of this name, and return it."""
        self.parts[name] = Part(name, "input", tuple(x.shape), calls=1)
        self._put(x, name)
        return x

    def leaves(self, name: str, y: Tensor) -> Tensor:
        """Register ``y`` as an output of this name; return a copy, which may be an input again."""
        self.parts[name] = Part(name, "output", tuple(y.shape), 0, 1, set(self._of([y])))
        y = y.clone()
        self._put(y, name)
        return y

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation of torch, and label its results."""
        out = func(*args, **(kwargs or {}))
        op = func.overloadpacket.__name__
        given = () if op.startswith("new_") or op.endswith("_like") else _tensors((args, kwargs))
        for made in _tensors(out):
            names = self._of(given, made.is_floating_point())
            self._put(made, *names)
            if func._schema.is_mutable:
                place = _storage(made)
                self._written[place] = self._written.get(place, frozenset()) | names
        return out

    def _hooks(self, name: str, of: nn.Module) -> tuple[Any, Any]:
        """Return the hooks to run before and after each call of a module.

        A module without weights gets a new box at each call, as its calls share nothing.
        """
        called: list[Part] = []

        def before(module: nn.Module, args: Any, kwargs: Any) -> None:
            del module
            weights = self._count[name]
            again = f"{name} ({len(called) + 1})" if called and not weights else name
            part = self.parts.setdefault(again, Part(again, _kind(of), (), weights))
            called.append(part)
            part.calls += 1
            part.sources |= self._of(_tensors((args, kwargs)))

        def after(module: nn.Module, args: Any, out: Any) -> Any:
            del module
            part, same = called[-1], {id(x) for x in _tensors(args)}
            if isinstance(out, Tensor) and id(out) in same:  # such as dropout in evaluation mode
                out = out.clone()
            made = _tensors(out)
            part.shape = part.shape or tuple(made[0].shape)
            for y in made:
                self._written.pop(_storage(y), None)
                self._put(y, part.name)
            return out

        return before, after

    def _of(self, given: Iterable[Tensor], numbers: bool = True) -> frozenset[str]:
        """Return tensors' labels; with ``numbers`` only those of floating-point ones, if any."""
        given = list(given)
        if numbers and any(x.is_floating_point() for x in given):
            given = [x for x in given if x.is_floating_point()]
        none = frozenset[str]()
        names = (self._names.get(id(x), none) | self._written.get(_storage(x), none) for x in given)
        return none.union(*names)

    def _put(self, x: Tensor, *names: str) -> None:
        self._names[id(x)] = frozenset(names)
        self._kept.append(x)

    def _ordered(self) -> list[Part]:
        """Return the boxes, with directly owned weights before the first box that uses them."""
        ordered: list[Part] = []
        for part in self.parts.values():
            own = sorted(part.sources & self._shared.keys())
            ordered += [self._shared.pop(name) for name in own]
            ordered.append(part)
        return ordered


def traced(network: nn.Module, run: Callable[[Flow, int], None]) -> list[Part]:
    """Return a network's boxes; ``run`` runs it on the given number of samples.

    Axes whose length depends on the number of samples are left out of shapes.
    """
    network.eval()
    one, two = (Flow(network).run(lambda flow, n=n: run(flow, n)) for n in (1, 2))
    for part, other in zip(one, two, strict=True):
        part.shape = tuple(a for a, b in zip(part.shape, other.shape, strict=True) if a == b)
    return one


def _storage(x: Tensor) -> int:
    return x.untyped_storage()._cdata


def _tensors(of: Any) -> list[Tensor]:
    return [x for x in tree_leaves(of) if isinstance(x, Tensor)]


def _kind(module: nn.Module) -> str:
    return type(module).__name__.lstrip("_")
