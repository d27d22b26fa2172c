"""How many connections each layer of a network makes: every use of a weight or bias counts."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


@torch.no_grad()
def connections(network: nn.Module, x_TBI: Tensor) -> dict[str, int]:
    """Return the connections of every layer that has some, for one input, by the layer's name.

    TypeError if a parameter belongs to no layer whose connections can be counted.
    """
    leaves = {k: m for k, m in network.named_modules() if next(m.children(), None) is None}
    known = {id(w) for m in leaves.values() if _counts(m) for w in m.parameters()}
    for name, weights in network.named_parameters():
        if id(weights) not in known:
            raise TypeError(f"{type(network).__name__}: how {name} is used is not known")
    found: dict[str, int] = {}

    def count(name: str, module: nn.Module, inputs: Any, output: Tensor) -> None:
        del inputs
        found[name] = found.get(name, 0) + _made(module, output[0])

    layers = {name: module for name, module in leaves.items() if _counts(module)}
    handles = [m.register_forward_hook(partial(count, name)) for name, m in layers.items()]
    try:
        network(x_TBI[:1, :1])
    finally:
        for handle in handles:
            handle.remove()
    return found


def _counts(module: nn.Module) -> bool:
    """Tell whether a layer's connections can be counted."""
    return isinstance(module, nn.Conv2d | nn.Linear) or hasattr(module, "connections")


def _made(module: Any, output: Tensor) -> int:
    """Return how many connections lead to one example's output."""
    if isinstance(module, nn.Conv2d):
        return output.numel() * (module.weight[0].numel() + (module.bias is not None))
    if isinstance(module, nn.Linear):
        return output.numel() * (module.in_features + (module.bias is not None))
    return module.connections(output[0].numel() if output.dim() > 1 else 1)
