"""How many connections each layer of a network makes: every use of a weight or bias counts."""

from typing import Any

import torch
from torch import Tensor, nn


@torch.no_grad()
def connections(network: nn.Module, x_TBI: Tensor) -> dict[str, int]:
    """Return the connections of every layer that has some, for one input, by the layer's name."""
    found: dict[str, int] = {}

    def count(name: str, module: nn.Module, output: Tensor) -> None:
        made = _made(module, output[0])
        if made:
            found[name] = found.get(name, 0) + made

    handles = [
        module.register_forward_hook(lambda m, _, output, name=name: count(name, m, output))
        for name, module in network.named_modules()
        if next(module.children(), None) is None
    ]
    try:
        network(x_TBI[:1, :1])
    finally:
        for handle in handles:
            handle.remove()
    return found


def _made(module: nn.Module, output: Tensor) -> int:
    """Return how many connections lead to one example's output."""
    own: Any = getattr(module, "connections", None)
    if own is not None:
        return own(output[0].numel() if output.dim() > 1 else 1)
    if isinstance(module, nn.Conv2d):
        seen = module.weight[0].numel() + (module.bias is not None)
        return output.numel() * seen
    if isinstance(module, nn.Linear):
        return output.numel() * (module.in_features + (module.bias is not None))
    return 0
