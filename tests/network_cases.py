"""One entry per network: a small instance and facts known beforehand.

Above 300 lines because it is one table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lightning_modules.cells.srn import SRN
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
    ids: int = 0
    """What it takes are ids below this number, of which 0 is padding; 0 where it takes values."""
    x_TBI: Tensor | None = None
    """What it takes, where that is more than ids at random."""


def count_parameters(module: nn.Module) -> int:
    """Count them."""
    return sum(weights.numel() for weights in module.parameters())


def layer_of(network: AlexNet | LeNet5, name: str) -> nn.Module:
    """Return a layer by its name in the paper."""
    return dict(network.layers.named_children())[name]


ALEXNET = {
    "C1": (3 * 121 + 1) * 4,
    "C2": (2 * 25 + 1) * 10,
    "C3": (10 * 9 + 1) * 16,
    "C4": (8 * 9 + 1) * 16,
    "C5": (8 * 9 + 1) * 10,
    "F6": (10 + 1) * 170,
    "F7": (170 + 1) * 170,
    "output": (170 + 1) * 10,
}
"""Parameters at a 24th of its width, in two groups, where one place is left of a picture."""


CHANNEL: dict[str, Any] = {"characters": 7, "character_size": 2, "character_units": 3}
SPELT = 7 * 2 + 2 * 4 * 3 * (2 + 3 + 2)
"""Parameters of a channel of characters, whose layers have torch's two biases."""

SHARED = 7 * 3 + 5 * 3 + 3 * 3 * 4 * (3 + 4 + 2) + (8 + 1) * 4 + 5
"""Of encoder–decoders: two embeddings, three GRUs with two biases each, what joins both ways, and
the readout's bias; its weights are the embedding's."""
TREES = torch.tensor(
    [
        [[2, 2], [4, 1], [6, 1]],
        [[5, 2], [0, 0], [1, 1]],
        [[3, 2], [0, 0], [2, 4]],
        [[0, 0], [0, 0], [3, 1]],
    ]
)
"""2 - 3 with its operator in the middle, 4 alone, and an operator in front of 1 and 3 of 2."""


NETWORK_CASES = {
    "alexnet": NetworkCase(
        build=lambda: AlexNet((3, 67, 67), 10, width=1 / 24),
        inputs=3 * 67 * 67,
        outputs=10,
        parameters=sum(ALEXNET.values()),
        refused=(
            (lambda: AlexNet(pooling=4), "pooling is 4"),
            (lambda: AlexNet(width=0.01), "do not divide into 2 groups"),
            (lambda: AlexNet((3, 20, 20)), "too small"),
        ),
    ),
    "attention_decoder": NetworkCase(
        build=lambda: AttentionDecoder(7, 5, 4, 3, both_ways=True),
        inputs=2,
        outputs=5,
        parameters=SHARED + 2 * 4 * 4 + (4 + 1) * 3 + 2 * 4 * 3,
        refused=(
            (lambda: AttentionDecoder(7, 5, 0, 3), "hidden_size is 0"),
            (lambda: AttentionDecoder(7, 5, 4, 3, dropout=2), "dropout is 2: it must be"),
        ),
        alone=False,
        ids=5,
    ),
    "autoencoder": NetworkCase(
        build=lambda: Autoencoder(6, [5, 2]),
        inputs=6,
        outputs=6,
        parameters=(6 + 1) * 5 + (5 + 1) * 2 + (2 + 1) * 5 + (5 + 1) * 6,
        refused=(
            (lambda: Autoencoder(6, []), "hidden is empty"),
            (lambda: Autoencoder(6, [True]), r"hidden\[0\] is True: it must be a whole number"),
        ),
    ),
    "convolutional": NetworkCase(
        build=lambda: Convolutional((1, 8, 8), 2, maps=3, size=3, stride=2),
        inputs=64,
        outputs=2,
        parameters=(9 + 1) * 3 + (9 * 3 + 1) * 2,
        refused=(
            (lambda: Convolutional((1, 2, 2), 2, size=3), "size is 3: no filter fits"),
            (lambda: Convolutional((1, 8, 8), 0), "output_size is 0"),
            (lambda: Convolutional((1, 8, 8), 2, maps=2.5), "maps is 2.5"),  # pyright: ignore[reportArgumentType]
            (lambda: Convolutional((1, 8, 8.0), 2), r"shape_CYX\[2\] is 8.0"),  # pyright: ignore[reportArgumentType]
        ),
    ),
    "encoder_decoder": NetworkCase(
        build=lambda: EncoderDecoder(7, 5, 4, 3, both_ways=True),
        inputs=2,
        outputs=5,
        parameters=SHARED + (4 + 1) * 3,
        refused=(
            (lambda: EncoderDecoder(7, 1, 4, 3), "output_size is 1: it must be at least 2"),
            (
                lambda: EncoderDecoder(7, 5, 4, 3, teacher_forcing=1.5),
                "teacher_forcing is 1.5: it must be finite and at least 0, at most 1",
            ),
        ),
        alone=False,
        ids=5,
    ),
    "language_model": NetworkCase(
        build=lambda: LanguageModel(30, 4, 5, layers=2, cutoffs=[5, 12], divisor=2.0),
        inputs=1,
        outputs=30,
        # The softmax: a head, and clusters of 7 and 18 words behind projections to 2 and 1.
        parameters=30 * 4 + 20 * (4 + 5 + 2) + 20 * (5 + 5 + 2) + 7 * 5 + 2 * (5 + 7) + 5 + 18,
        refused=(
            (lambda: LanguageModel(9, 4, 5, layer="lstn"), "did you mean 'lstm'"),
            (lambda: LanguageModel(9, 4, 5, tied=True), "embedding_size is 4, hidden_size 5"),
            (lambda: LanguageModel(9, 5, 5, tied=True, cutoffs=[3]), "tied and cutoffs were both"),
            (lambda: LanguageModel(9, 4, 5, dropout=1.0), "dropout is 1.0"),
            (lambda: LanguageModel(9, 4, 0), "hidden_size is 0"),
            (lambda: LanguageModel(9, 4, 9, cutoffs=[9]), r"cutoffs are \[9\]: they must rise"),
            (lambda: LanguageModel(9, 4, 9, cutoffs=[6, 3]), r"cutoffs are \[6, 3\]"),
            (lambda: LanguageModel(9, 4, 5, cutoffs=[3, 6]), r"divisor is 4\.0, hidden_size 5"),
        ),
        alone=False,
        ids=30,
    ),
    "lenet5": NetworkCase(
        build=LeNet5,
        inputs=784,
        outputs=10,
        parameters=60_000,
        refused=(
            (lambda: LeNet5((1, 32, 32)), r"of \(1, 28, 28\), not of \(1, 32, 32\)"),
            (lambda: LeNet5(output_size=9), "10 outputs, not 9"),
            (lambda: LeNet5(rubbish=0.0), r"rubbish is 0\.0"),
        ),
    ),
    "locally_connected": NetworkCase(
        build=lambda: LocallyConnected((1, 8, 8), 2, maps=3, size=3, stride=2),
        inputs=64,
        outputs=2,
        parameters=9 * (9 + 1) * 3 + (9 * 3 + 1) * 2,
        refused=(
            (lambda: LocallyConnected((1, 2, 2), 2, size=3), "size is 3: no filter fits"),
            (lambda: LocallyConnected((1, 8, 8), 2, stride=0), "stride is 0"),
        ),
    ),
    "mlp": NetworkCase(
        build=lambda: MLP(3, 2, [5, 4], activation="tanh"),
        inputs=3,
        outputs=2,
        parameters=(3 + 1) * 5 + (5 + 1) * 4 + (4 + 1) * 2,
        refused=(
            (lambda: MLP(3, 2, [5], activation="rleu"), "did you mean 'relu'?"),
            (lambda: MLP(3, 2, [5], output_activation="log"), "'log' is not one of"),
            (lambda: MLP(3, 2, [0]), r"hidden\[0\] is 0: it must be at least 1"),
            (lambda: MLP(3, 2, [5, True]), r"hidden\[1\] is True: it must be a whole number"),
            (lambda: MLP(3, 2, "55"), "hidden is '55': it must be a list of whole numbers"),  # pyright: ignore[reportArgumentType]
        ),
    ),
    "modern_lenet5": NetworkCase(
        build=lambda: ModernLeNet5((1, 28, 28), 10),
        inputs=784,
        outputs=10,
        parameters=156 + 2_416 + 48_120 + 10_164 + 850,
        refused=(
            (lambda: ModernLeNet5((1, 28, 28), 10, pooling="maximal"), "did you mean 'maximum'"),
            (lambda: ModernLeNet5((1, 28, 28), 10, window=0), "window is 0"),
            (lambda: ModernLeNet5((1, 28, 28), 10, window=9), "too little is left"),
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
    "narx": NetworkCase(
        build=lambda: NARX(3, 2, hidden=5, delays=2, input_delays=1, known=2),
        inputs=3,
        outputs=2,
        parameters=(2 * 1 + 2 * 2 + 1) * 5 + (5 + 1) * 2,
        refused=(
            (lambda: NARX(1, 2, hidden=5, delays=2), "input_size is 1: the 2 true outputs"),
            (lambda: NARX(3, 2, hidden=5, delays=0), "delays is 0"),
            (lambda: NARX(3, 2, hidden=5, delays=2, known=-1), "known is -1"),
        ),
        alone=False,
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
    "recursive": NetworkCase(
        build=lambda: Recursive(7, 2, hidden_size=4),
        inputs=2,
        outputs=2,
        parameters=7 * 4 + (4 + 1) * 4 + (8 + 1) * 4 + (4 + 1) * 2,
        refused=(
            (lambda: Recursive(0, 2, hidden_size=4), "symbols is 0"),
            (lambda: Recursive(7, 2, hidden_size=0), "hidden_size is 0"),
        ),
        alone=False,
        ids=7,
        x_TBI=TREES,
    ),
    "sequence_classifier": NetworkCase(
        build=lambda: SequenceClassifier(
            9, 2, pooling="mean", word_size=4, hidden_size=5, both=True, hidden=[6], **CHANNEL
        ),
        inputs=3,
        outputs=2,
        parameters=9 * 4 + SPELT + 2 * 4 * 5 * (10 + 5 + 2) + (10 + 1) * 6 + (6 + 1) * 2,
        refused=(
            (
                lambda: SequenceClassifier(9, 2, pooling="max", word_size=4, hidden_size=5),
                "did you mean 'maximum'?",
            ),
            (
                lambda: SequenceClassifier(0, 2, pooling="last", word_size=4, hidden_size=5),
                "words is 0",
            ),
        ),
        alone=False,
        ids=7,
    ),
    "tagger": NetworkCase(
        build=lambda: Tagger(9, 2, word_size=4, hidden_size=5, layer="srn", **CHANNEL),
        inputs=3,
        outputs=2,
        parameters=9 * 4 + SPELT + 5 * (10 + 5 + 2) + (5 + 1) * 2,
        refused=(
            (lambda: Tagger(9, 2, word_size=4, hidden_size=5, layer="lsmt"), "did you mean 'lstm'"),
            (lambda: Tagger(9, 2, word_size=4, hidden_size=0), "hidden_size is 0"),
            (
                lambda: Tagger(9, 2, word_size=4, hidden_size=5, characters=7),
                "characters is 7, character_size 0, character_units 0: all are above 0, or all 0",
            ),
        ),
        alone=False,
        ids=7,
    ),
    "tdnn": NetworkCase(
        build=lambda: TDNN(3, 2, [5], [2]),
        inputs=3,
        outputs=2,
        parameters=(2 * 3 + 1) * 5 + (5 + 1) * 2,
        refused=(
            (lambda: TDNN(3, 2, [5], [3, 4]), "1 hidden layers and 2 delays"),
            (lambda: TDNN(3, 2, [0], [2]), "at least 1"),
        ),
        alone=False,
    ),
    "tree_lstm": NetworkCase(
        build=lambda: TreeLSTM(7, 2, hidden_size=4),
        inputs=2,
        outputs=2,
        parameters=7 * 4 + (4 + 1) * 8 + (8 + 1) * 20 + (4 + 1) * 2,
        refused=((lambda: TreeLSTM(7, 0, hidden_size=4), "output_size is 0"),),
        alone=False,
        ids=7,
        x_TBI=TREES,
    ),
    "unrolled": NetworkCase(
        build=lambda: Unrolled(SRN(3, 4), 2),
        inputs=3,
        outputs=2,
        parameters=4 * (3 + 4 + 1) + (4 + 1) * 2,
        alone=False,
    ),
    "untied": NetworkCase(
        build=lambda: Untied(3, 2, 4, length=4),
        inputs=3,
        outputs=2,
        parameters=4 * 4 * (3 + 4 + 1) + (4 + 1) * 2,
        refused=((lambda: Untied(3, 2, 4, length=0), "length is 0"),),
        alone=False,
    ),
}
