"""One entry per rule of learning: a small network that is for it."""

from collections.abc import Callable

import torch
from torch import nn

from lightning_modules.networks.mlp import MLP
from lightning_modules.networks.perceptron import Perceptron

RULE_CASES: dict[str, Callable[[int], nn.Module]] = {
    "classical_backpropagation": lambda outputs: MLP(3, outputs, [4], "logistic", "logistic"),
    "perceptron_rule": lambda outputs: Perceptron(3, outputs),
}
"""Each of three inputs and as many outputs as are asked for."""


def network_for(rule: str, outputs: int = 2) -> nn.Module:
    """Return the network in float64, the same each time."""
    torch.manual_seed(0)
    return RULE_CASES[rule](outputs).double()
