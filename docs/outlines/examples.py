"""A small instance of each method that is drawn, and an example input where it is run on one.

Cells that are not named here are built with 3 inputs and 4 units, machines with their defaults.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.adversaries.cdcgan import CDCGAN
from lightning_modules.adversaries.gan import GAN
from lightning_modules.cells.lstm import LSTM
from lightning_modules.cells.srn import SRN
from lightning_modules.cells.stack import Stack
from lightning_modules.energies._energy import Energy
from lightning_modules.energies.boltzmann import Boltzmann
from lightning_modules.energies.dbn import DBN
from lightning_modules.energies.equilibrium import Equilibrium
from lightning_modules.energies.estimators.exact import Exact
from lightning_modules.energies.hopfield import Hopfield
from lightning_modules.energies.linear_rbm import LinearRBM
from lightning_modules.energies.rbm import RBM
from lightning_modules.energies.storage.hebb import Hebb
from lightning_modules.interfaces import Cell
from lightning_modules.maps._map import Map
from lightning_modules.maps.art1 import ART1
from lightning_modules.maps.artmap import ARTMAP
from lightning_modules.maps.batch_som import BatchSOM
from lightning_modules.maps.fuzzy_art import FuzzyART
from lightning_modules.maps.som import SOM
from lightning_modules.networks.alexnet import AlexNet
from lightning_modules.networks.attention_decoder import AttentionDecoder
from lightning_modules.networks.autoencoder import Autoencoder
from lightning_modules.networks.convolutional import Convolutional
from lightning_modules.networks.encoder_decoder import EncoderDecoder
from lightning_modules.networks.language_model import LanguageModel
from lightning_modules.networks.lenet5 import LeNet5
from lightning_modules.networks.locally_connected import LocallyConnected
from lightning_modules.networks.mlp import MLP
from lightning_modules.networks.modern_lenet5 import ModernLeNet5
from lightning_modules.networks.mp_neuron import MPNeuron
from lightning_modules.networks.narx import NARX
from lightning_modules.networks.perceptron import Perceptron
from lightning_modules.networks.recursive import Recursive
from lightning_modules.networks.sequence_classifier import SequenceClassifier
from lightning_modules.networks.tagger import Tagger
from lightning_modules.networks.tdnn import TDNN
from lightning_modules.networks.tree_lstm import TreeLSTM
from lightning_modules.networks.unrolled import Unrolled
from lightning_modules.networks.untied import Untied

STEPS = 4
"""The length of the sequences that networks read."""


class Example(NamedTuple):
    """A network, and a function from a number of samples to its input, (T, B, I)."""

    build: Callable[[], nn.Module]
    shown: Callable[[int], Tensor]
    says: str
    """The input in words."""


class Mapped(NamedTuple):
    """A map, and what it learns from: inputs, and their classes where it takes them."""

    build: Callable[[], Map]
    x_NI: Callable[[], Tensor]
    y_N: Callable[[Tensor], Tensor] | None = None


def _values(inputs: int, steps: int = STEPS) -> Callable[[int], Tensor]:
    return lambda samples: torch.randn(steps, samples, inputs)


def _ids(columns: int, below: int) -> Callable[[int], Tensor]:
    """Return a function that makes sequences of ids without padding."""
    return lambda samples: torch.randint(1, below, (STEPS, samples, columns)).float()


def _trees(samples: int) -> Tensor:
    """Return trees of one shape: token 3 is the root of tokens 2 and 4, token 2 that of token 1."""
    parents_T = torch.tensor([2.0, 3.0, 3.0, 3.0])
    tokens_TB = torch.randint(1, 7, (STEPS, samples)).float()
    return torch.stack([tokens_TB, parents_T[:, None].expand_as(tokens_TB)], dim=-1)


def _of_values(build: Callable[[], nn.Module], inputs: int) -> Example:
    return Example(build, _values(inputs, 1), f"{inputs} numbers")


def _of_picture(build: Callable[[], nn.Module], *shape_CYX: int) -> Example:
    says = "×".join(map(str, shape_CYX))
    return Example(build, _values(math.prod(shape_CYX), 1), f"a picture of {says}")


def _of_series(build: Callable[[], nn.Module], inputs: int) -> Example:
    return Example(build, _values(inputs), f"{STEPS} steps of {inputs} numbers")


def _of_words(build: Callable[[], nn.Module], columns: int, below: int) -> Example:
    return Example(build, _ids(columns, below), f"{STEPS} steps of {columns} ids")


def _of_tree(build: Callable[[], nn.Module]) -> Example:
    return Example(build, _trees, f"a tree of {STEPS} nodes")


def _alexnet() -> nn.Module:
    """Return the whole network on the meta device, where its weights take no memory."""
    with torch.device("meta"):
        return AlexNet()


CELLS: dict[str, Callable[[], Cell]] = {"stack": lambda: Stack([LSTM(3, 4), SRN(4, 4)])}

NETWORKS: dict[str, Example] = {
    "alexnet": _of_picture(_alexnet, 3, 224, 224),
    "attention_decoder": _of_words(lambda: AttentionDecoder(9, 7, 6, 5, both_ways=True), 2, 7),
    "autoencoder": _of_values(lambda: Autoencoder(784, [128, 32]), 784),
    "convolutional": _of_picture(lambda: Convolutional((1, 28, 28), 10), 1, 28, 28),
    "encoder_decoder": _of_words(lambda: EncoderDecoder(9, 7, 6, 5, both_ways=True), 2, 7),
    "language_model": _of_words(
        lambda: LanguageModel(10_000, 64, 128, layers=2, cutoffs=[500, 2000]), 1, 10_000
    ),
    "lenet5": _of_picture(LeNet5, 1, 28, 28),
    "locally_connected": _of_picture(lambda: LocallyConnected((1, 28, 28), 10), 1, 28, 28),
    "mlp": _of_values(lambda: MLP(784, 10, [128, 64]), 784),
    "modern_lenet5": _of_picture(lambda: ModernLeNet5((1, 28, 28), 10), 1, 28, 28),
    "mp_neuron": _of_values(lambda: MPNeuron.gate("and"), 2),
    "narx": _of_series(lambda: NARX(3, 1, hidden=8, delays=2, input_delays=1, known=2), 3),
    "perceptron": _of_values(lambda: Perceptron(4, 2), 4),
    "recursive": _of_tree(lambda: Recursive(12, 10, hidden_size=8)),
    "sequence_classifier": _of_words(
        lambda: SequenceClassifier(
            100,
            2,
            pooling="maximum",
            word_size=16,
            hidden_size=32,
            both=True,
            hidden=[16],
            characters=30,
            character_size=8,
            character_units=8,
        ),
        6,
        30,
    ),
    "tagger": _of_words(
        lambda: Tagger(
            100,
            12,
            word_size=16,
            hidden_size=32,
            both=True,
            characters=30,
            character_size=8,
            character_units=8,
        ),
        6,
        30,
    ),
    "tdnn": _of_series(lambda: TDNN(16, 3, [8, 3], [3, 5]), 16),
    "tree_lstm": _of_tree(lambda: TreeLSTM(12, 10, hidden_size=8)),
    "unrolled": _of_series(lambda: Unrolled(SRN(3, 8), 2), 3),
    "untied": _of_series(lambda: Untied(3, 2, 8, length=STEPS), 3),
}

ADVERSARIES: dict[str, Callable[[], Adversary]] = {
    "cdcgan": lambda: CDCGAN((28, 28), 10),
    "gan": lambda: GAN(2, 8, [32, 32], [32, 32]),
}

ENERGIES: dict[str, Callable[[], Energy]] = {
    "boltzmann": lambda: Boltzmann(4, 2, Exact()),
    "dbn": lambda: DBN([RBM(5, 4, Exact()), RBM(4, 3, Exact(), classes=2)]),
    "equilibrium": lambda: Equilibrium(4, 2, [5, 3]),
    "hopfield": lambda: Hopfield(6, Hebb()),
    "linear_rbm": lambda: LinearRBM(5, 3, Exact()),
    "rbm": lambda: RBM(5, 3, Exact()),
}


def _points(inputs: int) -> Tensor:
    return torch.rand(24, inputs)


def _coded() -> Tensor:
    a_ND = _points(2)
    return torch.cat([a_ND, 1 - a_ND], dim=1)


MAPS: dict[str, Mapped] = {
    "art1": Mapped(lambda: ART1(6, 20, vigilance=0.5), lambda: (_points(6) > 0.4).float()),
    "artmap": Mapped(
        lambda: ARTMAP(FuzzyART(4, 20, vigilance=0.6)),
        _coded,
        lambda x_NI: (x_NI[:, 0] > x_NI[:, 1]).long(),
    ),
    "batch_som": Mapped(lambda: BatchSOM(3, 4, 6, grid="hexagonal"), lambda: _points(3)),
    "fuzzy_art": Mapped(lambda: FuzzyART(4, 20, vigilance=0.6), _coded),
    "som": Mapped(lambda: SOM(3, 4, 6), lambda: _points(3)),
}
