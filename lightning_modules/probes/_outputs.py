"""What comes back to the outputs of a network's modules in a backward pass."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lightning_modules.instruments import Instrument


class Watched:
    """A context in which a network goes forward; the norms are there after the way back."""

    def __init__(self, network: nn.Module, probes: Sequence[Instrument]):
        """Watch the modules without children, for those probes that see outputs."""
        self._network = network
        self._probes = [probe for probe in probes if "outputs" in probe.sees]
        self._handles: list[Any] = []
        self._norms: dict[str, list[Tensor]] = {}

    def __enter__(self) -> "Watched":
        """Hook every output that is made."""
        if self._probes:
            for name, module in self._network.named_modules():
                if next(module.children(), None) is None:
                    hook = partial(self._called, name)
                    self._handles.append(module.register_forward_hook(hook))
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the modules as they were."""
        for handle in self._handles:
            handle.remove()

    def _called(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Make a place for the norm, zero for what no error comes back to."""
        del module, inputs
        if isinstance(output, Tensor) and output.requires_grad:
            norms, call = self._norms.setdefault(name, []), len(self._norms.get(name, []))
            norms.append(output.new_zeros(()))
            output.register_hook(partial(_note, norms, call))

    def show(self) -> None:
        """Show the norms to the probes."""
        for probe in self._probes:
            probe.gone_back(self._norms)


def _note(norms: list[Tensor], call: int, gradient: Tensor) -> None:
    norms[call] = torch.linalg.vector_norm(gradient.detach())
