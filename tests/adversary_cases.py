"""One entry per pair of players, per pair of losses, per regulariser: small, known beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.adversaries.cdcgan import CDCGAN
from lightning_modules.adversaries.gan import GAN
from lightning_modules.adversaries.regularisers._regulariser import Regulariser
from lightning_modules.adversaries.regularisers.consensus import Consensus
from lightning_modules.adversaries.regularisers.instance_noise import InstanceNoise
from lightning_modules.adversaries.regularisers.r1 import R1


@dataclass(frozen=True)
class AdversaryCase:
    """A pair of players; ``sees`` says whether what is asked for makes a difference."""

    build: Callable[[], Adversary]
    parameters: tuple[int, int]
    """Of the generator and of the discriminator."""
    sees: bool
    refused: tuple[tuple[Callable[[], Adversary], str], ...] = ()


ADVERSARY_CASES = {
    "gan": AdversaryCase(
        build=lambda: GAN(2, 3, [5], [4, 6]),
        parameters=(3 * 5 + 5 + 5 * 2 + 2, 2 * 4 + 4 + 4 * 6 + 6 + 6 + 1),
        sees=False,
        refused=(
            (lambda: GAN(0, 1), "sample_size is 0"),
            (lambda: GAN(1, -1), "latent_size is -1"),
            (lambda: GAN(1, 1, [0]), "hidden is 0"),
            (lambda: GAN(1, 1, activation="tahn"), "did you mean 'tanh'"),
        ),
    ),
    "cdcgan": AdversaryCase(
        build=lambda: CDCGAN((8, 4), 3, latent_size=5, generator_maps=6, discriminator_maps=4),
        parameters=(
            # first on z and y; two scales and shifts a class; two transposed convolutions
            (5 + 3) * 6 * 2 + 6 * 2 + 2 * 3 * (6 + 3) + 6 * 3 * 16 + 3 + 3 * 16 + 1,
            # two convolutions, two biases a class, the score, the projection
            16 * 4 + 4 + 4 * 8 * 16 + 8 + 3 * (4 + 8) + 16 + 1 + 3 * 16,
        ),
        sees=True,
        refused=(
            (lambda: CDCGAN((7, 8), 3), "4 has to divide"),
            (lambda: CDCGAN((8, 8), 0), "classes is 0"),
            (lambda: CDCGAN((8, 8), 3, generator_maps=1), "generator_maps is 1"),
            (lambda: CDCGAN((8, 8), 3, discriminator_maps=0), "discriminator_maps is 0"),
        ),
    ),
}


@dataclass(frozen=True)
class LossCase:
    """Both losses of scores, by hand."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    zero_sum: bool
    """Whether what the generator goes down is what the discriminator's samples cost it, negated."""
    slope: float = 0.5
    """f'(0): how steep either player's loss is at scores of 0."""


def _cross_entropy(d_B: Tensor, g_B: Tensor) -> Tensor:
    return -d_B.sigmoid().log().mean() - (1 - g_B.sigmoid()).log().mean()


LOSS_CASES = {
    "saturating": LossCase(_cross_entropy, lambda g_B: (1 - g_B.sigmoid()).log().mean(), True),
    "non_saturating": LossCase(_cross_entropy, lambda g_B: -g_B.sigmoid().log().mean(), False),
    "wasserstein": LossCase(
        lambda d_B, g_B: g_B.mean() - d_B.mean(), lambda g_B: -g_B.mean(), True, slope=1.0
    ),
}


@dataclass(frozen=True)
class RegulariserCase:
    """A regulariser and the Dirac-GAN's eigenvalues under it; f' is the loss's slope at 0."""

    build: Callable[[], Regulariser]
    eigenvalues: Callable[[float], list[complex]] | None
    """Of f'(0); None where they hold on average over noise alone."""
    refused: Callable[[], Regulariser]


def _roots(half_trace: float, determinant: float) -> list[complex]:
    """Return the eigenvalues of a 2×2 matrix."""
    root = complex(half_trace**2 - determinant) ** 0.5
    return [half_trace - root, half_trace + root]


REGULARISER_CASES = {
    "r1": RegulariserCase(
        build=lambda: R1(0.3),
        eigenvalues=lambda slope: _roots(-0.15, slope**2),
        refused=lambda: R1(0.0),
    ),
    "consensus": RegulariserCase(
        build=lambda: Consensus(0.3),
        eigenvalues=lambda slope: [complex(-0.3 * slope**2, sign * slope) for sign in (-1, 1)],
        refused=lambda: Consensus(-1.0),
    ),
    "instance_noise": RegulariserCase(
        build=lambda: InstanceNoise(0.7), eigenvalues=None, refused=lambda: InstanceNoise(0.0)
    ),
}


def dirac() -> GAN:
    """Return the Dirac-GAN in float64: D(x) = ψx, G = θ, both at 0."""
    adversary = GAN(1, 0, biases=False).double()
    with torch.no_grad():
        for w in adversary.parameters():
            w.zero_()
    return adversary


def origin(samples: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Return data at zero, their class and their latent vectors, of length 0."""
    none = torch.zeros(samples, 1).double(), torch.zeros(samples).long()
    return *none, torch.zeros(samples, 0).double()
