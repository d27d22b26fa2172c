"""The gradients that come back to the outputs of a network's modules in a backward pass.

A module is seen if it has no children and returns one tensor that takes a gradient. Probes name the
other modules without children once, in one line, and say why they are not seen.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lightning_modules.instruments import Instrument
from lightning_modules.norms import norm


class Watched:
    """A context for a network's forward pass; ``show`` has the norms after the backward pass."""

    def __init__(self, network: nn.Module, probes: Sequence[Instrument]):
        """Watch the modules without children, for those probes that see outputs."""
        self._network = network
        self._probes = [probe for probe in probes if "outputs" in probe.sees]
        self._handles: list[Any] = []
        self._norms: dict[str, list[Tensor]] = {}
        self._unseen: dict[str, str] = {}
        self._views: list[tuple[str, int, Tensor, int]] = []

    def __enter__(self) -> "Watched":
        """Hook every output that is made."""
        if self._probes:
            self._handles = hook_layers(self._network, self._called)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the modules as they were."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _called(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Make a place for the norm, which stays zero if no error comes back."""
        why = unseen(output)
        if why is None and not output.requires_grad:
            # A module without weights that comes before all weights gets no error.
            why = "takes no gradient" if next(module.parameters(), None) is not None else ""
        if why is not None:
            if why:
                self._unseen[name] = why
            return
        norms, call = self._norms.setdefault(name, []), len(self._norms.get(name, []))
        dtype = torch.promote_types(output.dtype, torch.float32)
        norms.append(output.new_zeros((), dtype=dtype))
        output.register_hook(partial(_note, norms, call))
        if output._is_view():
            view, version = output.detach(), output._version
            self._views.append((name, call, view, version))
            if _is_its_own(output, inputs):
                base: Any = output._base
                base.register_hook(partial(_note_instead, norms, call, view, version))

    def show(self) -> None:
        """Show the norms to the probes."""
        for name, call, view, version in self._views:
            # If a view is written to, autograd drops the node that the hook was registered at.
            if view._version != version and not self._norms[name][call]:
                self._unseen[name] = "is a view that was written to"
                self._norms[name][call] = self._norms[name][call] * torch.nan
        self._views = []
        norms, self._norms = self._norms, {}
        for probe in self._probes:
            say_unseen(probe, self._unseen, norms, self._network)
            if norms:
                probe.gone_back(norms)


def hook_layers(network: nn.Module, called: Any) -> list[Any]:
    """Call ``called`` after every call of a module without children, with its name in front."""
    if any(_is_compiled(module) for module in network.modules()):
        called = torch.compiler.disable(called)  # the hook itself must not be compiled
    return [
        module.register_forward_hook(partial(called, name))
        for name, module in network.named_modules()
        if next(module.children(), None) is None
    ]


def _is_compiled(module: nn.Module) -> bool:
    # By its name, since importing the class would import the compiler.
    return module._compiled_call_impl is not None or type(module).__name__ == "OptimizedModule"


def unseen(output: Any) -> str | None:
    """Return why a module's output cannot be measured; None where it can."""
    if not isinstance(output, Tensor):
        return f"returns a {type(output).__name__}"
    return None if output.is_floating_point() else f"returns {output.dtype}"


def say_unseen(
    probe: Instrument, why: dict[str, str], seen: dict[str, Any], network: nn.Module
) -> None:
    """Remark which modules were not seen, again whenever these change."""
    if why:
        told = ", ".join(f"{name or 'the network'} ({reason})" for name, reason in why.items())
        probe.remark(f"does not see {told}")
    elif not seen:
        kind = type(network).__name__
        probe.remark(f"sees nothing of {kind}: it calls no module without children, or is compiled")


def _is_its_own(view: Tensor, inputs: Any) -> bool:
    """Tell whether the base of a view is as large, and made by the call that returned the view."""
    base: Any = view._base
    given = [part for part in inputs if isinstance(part, Tensor)]
    mine = all(base is not part and base is not part._base for part in given)
    return mine and base.requires_grad and base.numel() == view.numel()


def _note_instead(
    norms: list[Tensor], call: int, view: Tensor, version: int, gradient: Tensor | None
) -> None:
    """Note what came back to the base of a view that was written to."""
    if view._version != version:
        _note(norms, call, gradient)


def _note(norms: list[Tensor], call: int, gradient: Tensor | None) -> None:
    if gradient is not None:
        gradient = gradient.detach()
        norms[call] = norm(gradient.to(norms[call].dtype))
