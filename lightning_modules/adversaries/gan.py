"""Two multi-layer perceptrons for samples of few entries, such as points in one or two dimensions.

    G(z) = W_L φ(… φ(W_1 z + b_1) …) + b_L        D(x) likewise, with one output

The Dirac-GAN, the simplest game, is a special case, for data that all lie at zero: with a latent
vector of length 0 and no hidden units the generator is its last bias, θ; with no hidden units and
no biases the discriminator is ψx. With one latent number and no hidden units G is a z + b, which
can be any Gaussian. Both players ignore classes.

Differs from the paper: weights start orthogonal, times the activation's gain, biases at 0.

Cost: O(weights) a sample.

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville & Bengio (2014),
        Generative adversarial nets, NeurIPS, arXiv:1406.2661.
    Mescheder, Geiger & Nowozin (2018), Which training methods for GANs do actually converge?,
        ICML, arXiv:1801.04406, section 2: the Dirac-GAN.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.checks import whole
from lightning_modules.registry import nearest

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}
GAINS = {"relu": 2**0.5, "tanh": 5 / 3, "leaky_relu": 2**0.5}
"""The gain that torch recommends for each activation."""


@final
class GAN(Adversary):
    """A generator and a discriminator that are both multi-layer perceptrons."""

    classes = 1

    def __init__(
        self,
        sample_size: int,
        latent_size: int,
        generator_hidden: Sequence[int] = (),
        discriminator_hidden: Sequence[int] = (),
        activation: str = "tanh",
        biases: bool = True,
    ):
        """``…_hidden`` lists the units of each hidden layer; ``biases`` are the discriminator's.

        ValueError for a size out of range, or an unknown activation.
        """
        super().__init__()
        whole(1, sample_size=sample_size)
        whole(0, latent_size=latent_size)
        for units in (*generator_hidden, *discriminator_hidden):
            whole(1, hidden=units)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"activation {activation!r} is unknown: {nearest(activation, ACTIVATIONS)}"
            )
        self.sample_size, self.latent_size = sample_size, latent_size
        sizes_G = latent_size, *generator_hidden, sample_size
        sizes_D = sample_size, *discriminator_hidden, 1
        self.generator = _perceptron(sizes_G, activation, True)
        self.discriminator = _perceptron(sizes_D, activation, biases)

    def generate(self, z_BZ: Tensor, y_B: Tensor) -> Tensor:
        """Return G(z), (B, I)."""
        del y_B
        return self.generator(z_BZ)

    def discriminate(self, x_BI: Tensor, y_B: Tensor) -> Tensor:
        """Return D(x), (B,)."""
        del y_B
        return self.discriminator(x_BI).squeeze(-1)


def _perceptron(sizes: Sequence[int], activation: str, biases: bool) -> nn.Module:
    """Return affine maps of these sizes with an activation between them."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    last = len(sizes) - 2
    for i, (below, above) in enumerate(pairwise(sizes)):
        gain = GAINS[activation] if i < last else 1.0
        layers["output" if i == last else f"hidden{i + 1}"] = _Affine(below, above, gain, biases)
        if i < last:
            layers[f"f{i + 1}"] = ACTIVATIONS[activation]()
    return nn.Sequential(layers)


class _Affine(nn.Module):
    """W x + b, or b alone without inputs, where torch's Linear warns about its empty weights."""

    def __init__(self, inputs: int, outputs: int, gain: float, biased: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs)) if biased else None
        if inputs:
            nn.init.orthogonal_(self.weight, gain)

    def forward(self, x_BI: Tensor) -> Tensor:
        """Return W x + b, (B, O)."""
        return nn.functional.linear(x_BI, self.weight, self.bias)
