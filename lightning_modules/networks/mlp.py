"""Multi-layer perceptron.

    h_0 = x        h_l = f(W_l h_{l-1} + b_l)        y = g(W h_L + b)

f: ReLU, tanh, logistic, softsign z / (1 + |z|), or linear, f(z) = z; g is one of these, too, linear
by default. Modules are called ``hidden1``, ``relu1``, ``hidden2``, ... and ``output``; a linear
activation has no module. Initial weights other than torch's are in ``_starts.py``.

Cost: O(W) an example, W the number of weights.

References:
    Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors,
        Nature 323.
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
        networks, AISTATS: softsign.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import final

from torch import nn

from lightning_modules.checks import whole, wholes
from lightning_modules.registry import UnknownNameError, nearest

_FUNCTIONS: dict[str, Callable[[], nn.Module] | None] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "softsign": nn.Softsign,
    "linear": None,
}


@final
class MLP(nn.Sequential):
    """Any number of hidden layers, none included, all of one activation."""

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden: Sequence[int],
        activation: str = "relu",
        output_activation: str = "linear",
    ):
        """``hidden`` counts the units of each hidden layer, from below."""
        super().__init__()
        for name in (activation, output_activation):
            if name not in _FUNCTIONS:
                hint = nearest(name, _FUNCTIONS)
                raise UnknownNameError(f"{name!r} is not one of the activations: {hint}")
        whole(1, input_size=input_size, output_size=output_size)
        wholes(1, hidden=hidden)
        sizes = [input_size, *hidden, output_size]
        for place, (below, above) in enumerate(pairwise(sizes), start=1):
            last = place == len(sizes) - 1
            self.add_module("output" if last else f"hidden{place}", nn.Linear(below, above))
            name = output_activation if last else activation
            function = _FUNCTIONS[name]
            if function is not None:
                self.add_module(f"output_{name}" if last else f"{name}{place}", function())
