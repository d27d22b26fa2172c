"""One entry per network: a small instance and facts known beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from lightning_modules.cells.srn import SRN
from lightning_modules.networks.mlp import MLP
from lightning_modules.networks.mp_neuron import MPNeuron
from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.networks.unrolled import Unrolled


@dataclass(frozen=True)
class NetworkCase:
    """A network of ``inputs`` and ``outputs``."""

    build: Callable[[], nn.Module]
    inputs: int
    outputs: int
    parameters: int
    refused: tuple[tuple[Callable[[], nn.Module], str], ...] = ()
    """What cannot be built, and what the error must say."""
    differentiable: bool = True
    alone: bool = True
    """It sees each step alone."""


NETWORK_CASES = {
    "mlp": NetworkCase(
        build=lambda: MLP(3, 2, [5, 4], activation="tanh"),
        inputs=3,
        outputs=2,
        parameters=(3 + 1) * 5 + (5 + 1) * 4 + (4 + 1) * 2,
        refused=(
            (lambda: MLP(3, 2, [5], activation="rleu"), "did you mean 'relu'?"),
            (lambda: MLP(3, 2, [5], output_activation="log"), "'log' is not one of"),
            (lambda: MLP(3, 2, [0]), r"\[3, 0, 2\]: each must be at least 1"),
        ),
    ),
    "mp_neuron": NetworkCase(
        build=lambda: MPNeuron([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]], [0.5, 1.0]),
        inputs=3,
        outputs=2,
        parameters=0,
        refused=(
            (lambda: MPNeuron.gate("xor"), "'xor' is not one of the gates"),
            (lambda: MPNeuron([[1.0], [1.0, 2.0]], [0.0, 0.0]), "each unit needs as many"),
            (lambda: MPNeuron([[1.0]], [0.0, 0.0]), "1 units need one each"),
        ),
        differentiable=False,
    ),
    "perceptron": NetworkCase(
        build=lambda: Perceptron(3, 2),
        inputs=3,
        outputs=2,
        parameters=(3 + 1) * 2,
        refused=(
            (lambda: Perceptron(0), "input_size is 0"),
            (lambda: Perceptron(3, 0), "output_size is 0"),
            (lambda: Perceptron(3, spread=-1.0), "spread is -1.0"),
        ),
        differentiable=False,
    ),
    "unrolled": NetworkCase(
        build=lambda: Unrolled(SRN(3, 4), 2),
        inputs=3,
        outputs=2,
        parameters=4 * (3 + 4 + 1) + (4 + 1) * 2,
        alone=False,
    ),
}
