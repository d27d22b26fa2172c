"""Modes of modules, lent and given back."""

import contextlib
from collections.abc import Iterator

from torch import nn


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Have a network in evaluation mode while the block runs, whatever happens in it.

    Each module gets its own mode back: one that the user froze stays frozen.
    """
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
