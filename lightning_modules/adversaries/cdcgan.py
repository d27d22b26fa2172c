"""Conditional, convolutional players for pictures: asked for a class, G makes a picture of it.

    G   affine, N, f    up 4×4 stride 2, N, f    up 4×4 stride 2, σ
    D   down 4×4 stride 2, + b_y, l    down 4×4 stride 2, + b_y, l    w'h + v_y'h + c

G starts at a quarter of the picture's rows and columns and doubles them twice; D halves them twice.
The class y acts at every layer of both. G's normalisation N scales and shifts each map by numbers
that depend on y; D's layers add a bias b_y to each map, and its score includes the product of the
flattened last layer, h, with a vector v_y (a projection). f is ReLU, l a leaky ReLU of slope .2.

Differs from the papers: normalisation is over groups of maps of one sample, so that no sample
depends on the rest of the batch and there are no running statistics; D has no normalisation. The
projection is of h with all its positions, not of each map's sum over positions.

Cost: 1.6 M multiplications a sample for either player, at 64 and 32 maps and 28×28 pixels.

References:
    Mirza & Osindero (2014), Conditional generative adversarial nets, arXiv:1411.1784.
    Radford, Metz & Chintala (2016), Unsupervised representation learning with deep convolutional
        generative adversarial networks, ICLR, arXiv:1511.06434.
    Miyato & Koyama (2018), cGANs with projection discriminator, ICLR, arXiv:1802.05637.
    de Vries, Strub, Mary, Larochelle, Pietquin & Courville (2017), Modulating early visual
        processing by language, NeurIPS, arXiv:1707.00683: normalisation by what is asked for.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from lightning_modules.adversaries._adversary import Adversary
from lightning_modules.checks import whole

MAPS_TOGETHER = 8
"""How many maps are normalised together; all of them where it does not divide their number."""
SLOPE, TINY = 0.2, 1e-5


@final
class CDCGAN(Adversary):
    """Players for flat pictures of given classes, row by row, pixels from 0 to 1."""

    def __init__(
        self,
        shape_YX: Sequence[int],
        classes: int,
        latent_size: int = 64,
        generator_maps: int = 64,
        discriminator_maps: int = 32,
    ):
        """``generator_maps`` and ``discriminator_maps`` are the maps of each one's first layer.

        G's second layer has half as many, D's twice as many. ValueError for numbers out of range,
        or where 4 does not divide the rows and the columns.
        """
        super().__init__()
        Y, X = shape_YX
        whole(1, Y=Y, X=X, classes=classes, latent_size=latent_size)
        whole(1, discriminator_maps=discriminator_maps)
        whole(2, generator_maps=generator_maps)
        if Y % 4 or X % 4:
            raise ValueError(f"pictures of {Y}×{X}: 4 has to divide their rows and columns")
        self.shape_YX, self.sample_size = (Y, X), Y * X
        self.classes, self.latent_size = classes, latent_size
        at = Y // 4, X // 4
        self.generator = _Generator(at, classes, latent_size, generator_maps)
        self.discriminator = _Discriminator(at, classes, discriminator_maps)

    def generate(self, z_BZ: Tensor, y_B: Tensor) -> Tensor:
        """Return pictures of classes y, (B, I)."""
        return self.generator(z_BZ, y_B).flatten(1)

    def discriminate(self, x_BI: Tensor, y_B: Tensor) -> Tensor:
        """Return log odds that pictures are data of classes y, (B,)."""
        return self.discriminator(x_BI.view(-1, 1, *self.shape_YX), y_B)


class _Generator(nn.Module):
    """From a latent vector and a class to a picture."""

    def __init__(self, at: tuple[int, int], classes: int, latent_size: int, maps: int):
        super().__init__()
        self._classes, self._at = classes, (maps, *at)
        self.first = nn.Linear(latent_size + classes, maps * at[0] * at[1])
        self.norm1, self.norm2 = _Asked(maps, classes), _Asked(maps // 2, classes)
        self.up1 = nn.ConvTranspose2d(maps, maps // 2, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(maps // 2, 1, 4, 2, 1)

    def forward(self, z_BZ: Tensor, y_B: Tensor) -> Tensor:
        """Return pictures, (B, 1, Y, X)."""
        asked_BY = one_hot(y_B, self._classes).to(z_BZ.dtype)
        h_BCYX = self.first(torch.cat([z_BZ, asked_BY], dim=1)).view(-1, *self._at)
        h_BCYX = self.up1(self.norm1(h_BCYX, y_B).relu())
        return self.up2(self.norm2(h_BCYX, y_B).relu()).sigmoid()


class _Asked(nn.Module):
    """Groups of maps normalised, then scaled and shifted by the class."""

    def __init__(self, maps: int, classes: int):
        super().__init__()
        self._groups = maps // MAPS_TOGETHER if maps % MAPS_TOGETHER == 0 else 1
        self.scale, self.shift = nn.Embedding(classes, maps), nn.Embedding(classes, maps)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, h_BCYX: Tensor, y_B: Tensor) -> Tensor:
        """Return scale_y * N(h) + shift_y.

        Written out, because torch's group normalisation does not support batched gradients.
        """
        h_BGR = h_BCYX.view(len(h_BCYX), self._groups, -1)
        var_BG1, mean_BG1 = torch.var_mean(h_BGR, dim=-1, correction=0, keepdim=True)
        h_BGR = (h_BGR - mean_BG1) * (var_BG1 + TINY).rsqrt()
        shift_BC11, scale_BC11 = _maps(self.shift, y_B), _maps(self.scale, y_B)
        return torch.addcmul(shift_BC11, scale_BC11, h_BGR.view_as(h_BCYX))


class _Discriminator(nn.Module):
    """From a picture and a class to one number."""

    def __init__(self, at: tuple[int, int], classes: int, maps: int):
        super().__init__()
        size = 2 * maps * at[0] * at[1]
        self.down1, self.down2 = nn.Conv2d(1, maps, 4, 2, 1), nn.Conv2d(maps, 2 * maps, 4, 2, 1)
        self.bias1, self.bias2 = nn.Embedding(classes, maps), nn.Embedding(classes, 2 * maps)
        self.score, self.projection = nn.Linear(size, 1), nn.Embedding(classes, size)
        nn.init.normal_(self.bias1.weight, std=0.1)
        nn.init.normal_(self.bias2.weight, std=0.1)
        nn.init.normal_(self.projection.weight, std=0.02)

    def forward(self, x_BCYX: Tensor, y_B: Tensor) -> Tensor:
        """Return the scores, (B,)."""
        h_BCYX = leaky_relu(self.down1(2 * x_BCYX - 1) + _maps(self.bias1, y_B), SLOPE)
        h_BCYX = leaky_relu(self.down2(h_BCYX) + _maps(self.bias2, y_B), SLOPE)
        h_BH = h_BCYX.flatten(1)
        return self.score(h_BH).squeeze(1) + (self.projection(y_B) * h_BH).sum(1)


def _maps(of: nn.Embedding, y_B: Tensor) -> Tensor:
    """Return the embedding of each class as a number for each map, (B, C, 1, 1)."""
    return of(y_B)[..., None, None]
